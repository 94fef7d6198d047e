import type { Condition } from '@tidegate/contracts';

/** A condition, or what it always is. */
export type Test = Condition | boolean;

const NEVER: Condition = { any: [] };
/** Of what is reported: the flag is not imported, and its other problems are looked for. */
export const UNKNOWN: Condition = NEVER;
const ALWAYS: Condition = { all: [] };

/** Asked from left to right up to the first false, as flagd does: a comparison behind it cannot fail. */
export function all(tests: readonly Test[]): Test {
  return joined(tests, false, NEVER, (parts) => ({ all: parts }));
}

/** Asked from left to right up to the first true. */
export function any(tests: readonly Test[]): Test {
  return joined(tests, true, ALWAYS, (parts) => ({ any: parts }));
}

/** `ends` decides alone; what stands before it is still asked, because it may fail. */
function joined(
  tests: readonly Test[],
  ends: boolean,
  ending: Condition,
  join: (parts: Condition[]) => Condition,
): Test {
  const parts: Condition[] = [];
  for (const test of tests) {
    if (test === ends && parts.length === 0) return ends;
    if (test === ends) return join([...parts, ending]);
    if (typeof test !== 'boolean') parts.push(test);
  }
  const [only] = parts;
  return only && parts.length === 1 ? only : parts.length === 0 ? !ends : join(parts);
}

export function not(test: Test): Test {
  if (typeof test === 'boolean') return !test;
  return 'not' in test ? test.not : { not: test };
}

const NEVER_FAIL = new Set<string>(['loosely-true', 'loosely-within', 'loosely-semver']);

/** Whether asking it can end in an error: only loose comparisons can. */
export function canFail(test: Test): boolean {
  if (typeof test === 'boolean' || 'segment' in test) return false;
  if ('all' in test) return test.all.some(canFail);
  if ('any' in test) return test.any.some(canFail);
  if ('not' in test) return canFail(test.not);
  return test.operator.startsWith('loosely-') && !NEVER_FAIL.has(test.operator);
}
