import type { Split } from '@tidegate/contracts';
import { reader, TARGETING_KEY, targetingKeyOf } from './attribute.ts';
import { firstHash } from './bucket.ts';
import type { Details, EvaluationContext } from './details.ts';
import { LEAST, orderedMurmur3After } from './murmur3.ts';

export type Serve = (context: EvaluationContext) => Details;

/** The text that tells units apart; undefined if the context has none. */
type UnitOf = (context: EvaluationContext) => string | undefined;

/** Tells units apart: by the targeting key, an attribute, or joined parts of an imported flag. */
export type UnitBy = Pick<Split, 'by' | 'input'>;

export interface Units {
  readonly unitOf: UnitOf;
  /** Ordered hash of `prefix` and the unit. The parts of an imported flag are hashed as they are, without the prefix. */
  readonly hash: (unit: string) => number;
}

export function unitsOf({ by = TARGETING_KEY, input }: UnitBy, prefix: string): Units {
  if (!input) return { unitOf: unitAt(by), hash: orderedMurmur3After(prefix) };
  const parts = input.map(partOf);
  return { unitOf: (context) => joined(parts, context), hash: orderedMurmur3After('') };
}

/** A text that is not empty, or a whole number in decimal. Nothing else tells units apart in every language alike. */
function unitAt(path: string): UnitOf {
  if (path === TARGETING_KEY) return targetingKeyOf;
  const read = reader(path);
  return (context) => {
    const value = read(context);
    if (typeof value === 'string') return value === '' ? undefined : value;
    return Number.isSafeInteger(value) ? String(value) : undefined;
  };
}

type TextOf = (context: EvaluationContext) => string;

/** As flagd writes it, `null` if it is missing: nobody may be moved by an import. Its rule asks first where that matters. */
function partOf(part: NonNullable<Split['input']>[number]): TextOf {
  if (typeof part === 'string') return () => part;
  const read = reader(part.attribute);
  return (context) => textOf(read(context) ?? null);
}

/** As JavaScript writes JSON values, in flagd-core as well. Total: an object may be without a prototype. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map((each) => textOf(each ?? '')).join();
  return typeof value === 'object' && value !== null ? '[object Object]' : String(value);
}

function joined(parts: readonly TextOf[], context: EvaluationContext): string {
  let all = '';
  for (const part of parts) all += part(context);
  return all;
}

/** Divides the ordered hashes in proportion to the weights, in their order. */
export function divide(
  weights: Split['weights'],
  answer: (variant: string) => Details,
): (hash: number) => Details {
  const live = weights.filter(({ weight }) => weight > 0);
  const total = live.reduce((sum, { weight }) => sum + weight, 0);
  let share = 0;
  const parts = live.map(({ variant, weight }) => {
    share += weight;
    return { details: answer(variant), end: LEAST + firstHash(share, total) };
  });
  const last = parts.pop()?.details;
  if (last === undefined) throw new Error('The weights of a split add up to 0.');
  const [first] = parts;
  if (first && parts.length === 1) return (hash) => (hash < first.end ? first.details : last);
  return (hash) => {
    for (const part of parts) if (hash < part.end) return part.details;
    return last;
  };
}

/** What the hash says, or that there is nothing to hash. */
export function serveByHash(
  { unitOf, hash }: Units,
  divided: (hash: number) => Details,
  lacking: () => Details,
): Serve {
  return (context) => {
    const unit = unitOf(context);
    return unit === undefined ? lacking() : divided(hash(unit));
  };
}
