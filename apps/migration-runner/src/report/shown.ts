import type { z } from 'zod';

type Json = z.core.util.JSONType;

const LONGEST_TEXT = 200;
const LONGEST_MESSAGE = 500;
const MOST_ITEMS = 10;
const MOST_FIELDS = 40;
const MOST_VALUES = 200;
const DEEPEST = 6;

const HIGH_SURROGATES = /[\uD800-\uDBFF]$/;

/** Cut where it is too long, saying by how much; never within a character. */
export function shortText(text: string, longest = LONGEST_TEXT): string {
  if (text.length <= longest) return text;
  const kept = text.slice(0, longest).replace(HIGH_SURROGATES, '');
  return `${kept}… (${text.length - kept.length} characters more)`;
}
export const shortMessage = (text: string): string => shortText(text, LONGEST_MESSAGE);

/**
 * A value of a document as JSON can say it, for a person: long text, lists and objects are cut and say so, bytes are
 * their number, integers too large for JSON their digits. Looks at no more than it shows, so that size does not matter.
 */
export const shown = (
  value: unknown,
  hidden: Hidden = NOTHING,
  path: readonly string[] = [],
): Json =>
  path.some((_name, at) => hidden.has(path.slice(0, at + 1).join('.')))
    ? HIDDEN
    : within({ left: MOST_VALUES, hidden }, value, { depth: DEEPEST, path: path.join('.') });

/** Paths whose values are not shown. */
export type Hidden = ReadonlySet<string>;
const NOTHING: Hidden = new Set();
const HIDDEN = '(hidden)';

interface Budget {
  left: number;
  readonly hidden: Hidden;
}
interface Place {
  /** How much deeper may be looked. */
  readonly depth: number;
  /** An item of a list has the path of the list. */
  readonly path: string;
}

function within(budget: Budget, value: unknown, place: Place): Json {
  budget.left -= 1;
  if (typeof value === 'object' && value !== null) return objectShown(budget, value, place);
  if (typeof value === 'string') return shortText(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'boolean' || value === null || value === undefined) return value ?? null;
  return typeof value === 'bigint' ? String(value) : `a ${typeof value}`;
}

function objectShown(budget: Budget, value: object, { depth, path }: Place): Json {
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'no date' : value.toISOString();
  const isPlain =
    Array.isArray(value) || !('toJSON' in value) || typeof value.toJSON !== 'function';
  if (depth === 0 || budget.left <= 0) return '…';
  const inner = { depth: depth - 1, path };
  if (!isPlain) return within(budget, ownWords(value as { toJSON: () => unknown }), inner);
  return Array.isArray(value) ? listShown(budget, value, inner) : fieldsShown(budget, value, inner);
}

const nameOf = (value: object): string => `a ${value.constructor.name}`;

/** Of a type that only the database's driver knows. */
function ownWords(value: { toJSON: () => unknown }): unknown {
  try {
    const said = value.toJSON();
    return said === value ? nameOf(value) : said;
  } catch {
    return nameOf(value);
  }
}

function listShown(budget: Budget, list: readonly unknown[], place: Place): Json {
  const items: Json[] = [];
  for (const item of list.slice(0, MOST_ITEMS)) {
    if (budget.left <= 0) break;
    items.push(within(budget, item, place));
  }
  const more = list.length - items.length;
  return more > 0 ? [...items, `… ${more} more`] : items;
}

function fieldsShown(budget: Budget, value: object, { depth, path }: Place): Json {
  const fields: Record<string, Json> = {};
  const names = Object.keys(value);
  let taken = 0;
  for (const name of names.slice(0, MOST_FIELDS)) {
    if (budget.left <= 0) break;
    taken += 1;
    const inner = (value as Record<string, unknown>)[name];
    if (inner === undefined) continue;
    const at = path === '' ? name : `${path}.${name}`;
    define(
      fields,
      shortText(name),
      budget.hidden.has(at) ? HIDDEN : within(budget, inner, { depth, path: at }),
    );
  }
  const more = names.length - taken;
  if (more > 0) define(fields, '…', `${more} fields more`);
  return fields;
}

/** Also a field that is called __proto__. */
function define(fields: Record<string, Json>, name: string, value: Json): void {
  Object.defineProperty(fields, name, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}
