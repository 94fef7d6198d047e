import type { Split } from '@tidegate/contracts';
import { reader } from './attribute.ts';
import { firstHash } from './bucket.ts';
import type { Details, EvaluationContext } from './details.ts';
import { murmur3After } from './murmur3.ts';

/** How a flag answers. `targetingKey` is undefined if there is none. */
export type Serve = (context: EvaluationContext, targetingKey: string | undefined) => Details;

/** Hash of the unit; undefined if the context has none. */
export type HashOf = (
  context: EvaluationContext,
  targetingKey: string | undefined,
) => number | undefined;

/** Tells units apart: by the targeting key, an attribute, or joined parts of an imported flag. */
export type UnitBy = Pick<Split, 'by' | 'input'>;

export const TARGETING_KEY = 'targetingKey';

/**
 * Hashes `prefix` and the unit. The parts of an imported flag are hashed as they are, without the prefix.
 */
export function hashOf({ by = TARGETING_KEY, input }: UnitBy, prefix: string): HashOf {
  if (input) {
    const hash = murmur3After('');
    const parts = input.map(textOfPart);
    return (context) => {
      const text = joined(parts, context);
      return text === undefined ? undefined : hash(text);
    };
  }
  const hash = murmur3After(prefix);
  if (by === TARGETING_KEY)
    return (_, targetingKey) => (targetingKey === undefined ? undefined : hash(targetingKey));
  const read = reader(by);
  return (context) => {
    const unit = unitOf(read(context));
    return unit === undefined ? undefined : hash(unit);
  };
}

/** A text that is not empty: it would put all anonymous units in one bucket. */
export const targetingKeyOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

/** A text that is not empty, or a whole number in decimal. Nothing else tells units apart in every language alike. */
const unitOf = (value: unknown): string | undefined =>
  Number.isSafeInteger(value) ? String(value) : targetingKeyOf(value);

type Part = NonNullable<Split['input']>[number];

/** A missing attribute is no unit, here as elsewhere: whom it would stand for, nobody knows. */
function textOfPart(part: Part): (context: EvaluationContext) => string | undefined {
  if (typeof part === 'string') return () => part;
  const read = reader(part.attribute);
  if (part.attribute === TARGETING_KEY) return (context) => targetingKeyOf(read(context));
  return (context) => unitOf(read(context));
}

function joined(
  parts: readonly ReturnType<typeof textOfPart>[],
  context: EvaluationContext,
): string | undefined {
  let all = '';
  for (const part of parts) {
    const text = part(context);
    if (text === undefined) return undefined;
    all += text;
  }
  return all;
}

/** Divides the hashes in proportion to the weights, in their order. */
export function divide(
  weights: Split['weights'],
  answer: (variant: string) => Details,
): (hash: number) => Details {
  const live = weights.filter(({ weight }) => weight > 0);
  const total = live.reduce((sum, { weight }) => sum + weight, 0);
  let share = 0;
  const parts = live.map(({ variant, weight }) => {
    share += weight;
    return { details: answer(variant), end: firstHash(share, total) };
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

export function serveSplit(
  hash: HashOf,
  divided: (hash: number) => Details,
  lacking: Details,
): Serve {
  return (context, targetingKey) => {
    const found = hash(context, targetingKey);
    return found === undefined ? lacking : divided(found);
  };
}
