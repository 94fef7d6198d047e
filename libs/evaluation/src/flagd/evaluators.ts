import { isObject, type Json, type Report } from './problems.ts';

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
  after = -1,
): unknown {
  const name = soleRef(value);
  if (name !== undefined) {
    const place = Object.keys(evaluators).indexOf(name);
    if (place > after) return resolveRefs(evaluators[name], evaluators, where, report, place);
    report(
      where,
      place < 0
        ? `there is no shared rule "${name}" in $evaluators`
        : `the shared rule "${name}" is referred to by itself or by a later one: flagd leaves that unresolved`,
    );
    return null;
  }
  if (Array.isArray(value))
    return value.map((each, i) => resolveRefs(each, evaluators, `${where}[${i}]`, report, after));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      resolveRefs(inner, evaluators, `${where}.${key}`, report, after),
    ]),
  );
}
