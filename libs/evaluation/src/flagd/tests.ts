import type { Condition } from '@tidegate/contracts';

/** A condition, or what it always is. */
export type Test = Condition | boolean;

const NEVER: Condition = { any: [] };
/** Of what is reported: the flag is not imported, and its other problems are looked for. */
export const UNKNOWN: Condition = NEVER;
const ALWAYS: Condition = { all: [] };

/** Asked from left to right up to the first false, as flagd does: a comparison behind it cannot fail. */
export function all(tests: readonly Test[]): Test {
  return joined(tests, false, NEVER, (parts) => made({ all: parts }));
}

/** Asked from left to right up to the first true. */
export function any(tests: readonly Test[]): Test {
  return joined(tests, true, ALWAYS, (parts) => made({ any: parts }));
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
  return 'not' in test ? test.not : made({ not: test });
}

const NEVER_FAIL = new Set<string>(['loosely-true', 'loosely-within', 'loosely-semver']);

interface Measures {
  readonly size: number;
  readonly depth: number;
  readonly canFail: boolean;
}
const measures = new WeakMap<Condition, Measures>();

/** How many conditions it is written with. */
export const sizeOf = (test: Test): number => measured(test).size;

/** How many conditions stand within each other. */
export const depthOf = (test: Test): number => measured(test).depth;

/** Whether asking it can end in an error: only loose comparisons can. */
export const canFail = (test: Test): boolean => measured(test).canFail;

/** A condition may stand in many places of another one: each is looked at once. */
function measured(test: Test): Measures {
  if (typeof test === 'boolean') return { size: 0, depth: 0, canFail: false };
  const known = measures.get(test);
  if (known) return known;
  const parts = partsOf(test).map(measured);
  const found = {
    size: parts.reduce((sum, { size }) => sum + size, 1),
    depth: parts.reduce((most, { depth }) => Math.max(most, depth), 0) + 1,
    canFail: parts.some((part) => part.canFail) || failsItself(test),
  };
  measures.set(test, found);
  return found;
}

/** Measured as it is made, from parts that are: however deep it becomes, nobody walks down all of it. */
function made(test: Condition): Condition {
  measured(test);
  return test;
}

function partsOf(test: Condition): readonly Condition[] {
  if ('all' in test) return test.all;
  if ('any' in test) return test.any;
  return 'not' in test ? [test.not] : [];
}

const failsItself = (test: Condition): boolean =>
  'operator' in test && test.operator.startsWith('loosely-') && !NEVER_FAIL.has(test.operator);
