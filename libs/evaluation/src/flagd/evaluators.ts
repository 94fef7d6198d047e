import { isObject, type Json, type Report } from './problems.ts';
import { Work } from './work.ts';

const soleRef = (value: unknown): string | undefined =>
  isObject(value) && Object.keys(value).length === 1 && typeof value['$ref'] === 'string'
    ? value['$ref']
    : undefined;

/**
 * Puts shared rules (`$evaluators`) in the place of each `{ "$ref": name }`. flagd replaces them name by name, so one
 * that refers to itself or to an earlier one stays unresolved there.
 */
export function resolveRefs(
  value: unknown,
  evaluators: Json,
  where: string,
  report: Report,
  within: Work,
): unknown {
  const work = new Work(MAX_PARTS, within);
  const places = new Map(Object.keys(evaluators).map((name, i) => [name, i]));
  const resolved = resolve(value, { evaluators, places, report, work }, where, -1);
  if (!work.isSpent) return resolved;
  report(where, `its shared rules written out have more than ${MAX_PARTS} parts`);
  return null;
}

const MAX_PARTS = 50_000;

interface Shared {
  readonly evaluators: Json;
  readonly places: ReadonlyMap<string, number>;
  readonly report: Report;
  readonly work: Work;
}

function resolve(value: unknown, shared: Shared, where: string, after: number): unknown {
  const { evaluators, places, report, work } = shared;
  work.spend();
  if (work.isSpent) return null;
  const name = soleRef(value);
  if (name !== undefined) {
    const place = places.get(name) ?? -1;
    if (place > after) return resolve(evaluators[name], shared, where, place);
    report(
      where,
      place < 0
        ? `there is no shared rule "${name}" in $evaluators`
        : `the shared rule "${name}" is referred to by itself or by a later one: flagd leaves that unresolved`,
    );
    return null;
  }
  if (Array.isArray(value))
    return value.map((each, i) => resolve(each, shared, `${where}[${i}]`, after));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      resolve(inner, shared, `${where}.${key}`, after),
    ]),
  );
}
