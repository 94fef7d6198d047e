import type { SQLInputValue, StatementSync } from 'node:sqlite';
import type { Row } from '@tidegate/migration';
import { jsonOf, parseJson } from '../target/json.ts';
import type { Columns } from './terms.sqlite.ts';

/** SQLite has no boolean and no date, and keeps objects as JSON text. A number would be bound as REAL. Thrown RangeError. */
export function bound(value: unknown): SQLInputValue {
  if (value === undefined || value === null) return null;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof value === 'bigint' && BigInt.asIntN(64, value) !== value)
    throw new RangeError(`${value} is an integer of more than 64 bits.`);
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'object' && !ArrayBuffer.isView(value)) return jsonOf(value);
  return value as SQLInputValue;
}

/** Integers that fit are numbers, the others bigints; what a column of type JSON holds is read as what it says. */
export function readRows(
  statement: StatementSync,
  values: readonly SQLInputValue[],
  columns: Columns,
): readonly Row[] {
  const rows = numbersOf(statement, values);
  const json = [...columns].filter(([, { isJson }]) => isJson).map(([name]) => name);
  return json.length === 0 ? rows : rows.map((row) => parsed(row, json));
}

function numbersOf(statement: StatementSync, values: readonly SQLInputValue[]): readonly Row[] {
  try {
    statement.setReadBigInts(false);
    return statement.all(...values);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_OUT_OF_RANGE') throw error;
  }
  statement.setReadBigInts(true);
  return statement.all(...values).map(narrowed);
}

const narrowed = (row: Row): Row =>
  Object.fromEntries(
    Object.entries(row).map(([column, value]) => [
      column,
      typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value,
    ]),
  );

function parsed(row: Row, json: readonly string[]): Row {
  const copy: Record<string, unknown> = { ...row };
  for (const name of json) {
    const text = copy[name];
    if (typeof text === 'string') copy[name] = parsedText(text);
  }
  return copy;
}

function parsedText(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return text; // the column's type binds nobody to write JSON
  }
}
