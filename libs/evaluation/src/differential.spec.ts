import { expect, it } from '@jest/globals';
import {
  type Comparison,
  type Condition,
  dateOf,
  type Flag,
  type FlagRecord,
  flagDefinition,
  operatorNames,
  type Segment,
  segmentDefinition,
  type SegmentRecord,
  type Split,
} from '@tidegate/contracts';
import fc from 'fast-check';
import semver from 'semver';
import type { EvaluationContext } from './details.ts';
import { compile } from './evaluator.ts';
import { murmur3 } from './murmur3.ts';

/*
 * The rules once more, written to be read: nothing is compiled, everything is looked up again for every answer.
 */

interface World {
  readonly flags: Readonly<Record<string, Flag>>;
  readonly segments: Readonly<Record<string, Segment>>;
}
interface Answer {
  readonly variant?: string;
  readonly reason: string;
  readonly errorCode?: string;
  readonly rule?: string | number;
  readonly prerequisite?: string;
}
const MISSING: Answer = { reason: 'ERROR', errorCode: 'TARGETING_KEY_MISSING' };
const BROKEN: Answer = { reason: 'ERROR', errorCode: 'PARSE_ERROR' };

function evaluate(world: World, key: string, context: EvaluationContext): Answer {
  const flag = world.flags[key];
  if (!flag) return { reason: 'ERROR', errorCode: 'FLAG_NOT_FOUND' };
  const { definition, disabled } = flag;
  const { offVariant, defaultVariant, exposure, rules, prerequisites } = definition;
  const { deniedUsers, allowedUsers } = definition;
  if (disabled) return { variant: offVariant, reason: 'DISABLED' };
  if (!isSound(world, key, [])) return BROKEN;

  for (const { flag: other, variants } of prerequisites) {
    const answer = evaluate(world, other, context);
    if (answer.reason === 'ERROR')
      return { reason: 'ERROR', errorCode: answer.errorCode ?? '', prerequisite: other };
    if (answer.reason === 'DISABLED' || !variants.includes(answer.variant ?? ''))
      return { variant: offVariant, reason: 'PREREQUISITE_FAILED', prerequisite: other };
  }

  const user = unitAt(context, 'targetingKey', true);
  if (user !== undefined && deniedUsers.includes(user))
    return { variant: defaultVariant, reason: 'TARGETING_MATCH' };
  if (user !== undefined && allowedUsers.includes(user))
    return { variant: exposure.variant, reason: 'TARGETING_MATCH' };

  for (const [index, { name, when, variant, split }] of rules.entries()) {
    if (when && !holds(world, when, context)) continue;
    const rule = name ?? index + 1;
    if (variant !== undefined) return { variant, reason: 'TARGETING_MATCH', rule };
    const chosen = choose(flag, split!, context);
    return chosen === undefined ? { ...MISSING, rule } : { variant: chosen, reason: 'SPLIT', rule };
  }

  const depends =
    deniedUsers.length + allowedUsers.length + rules.length > 0 ||
    prerequisites.some(({ flag }) => !isTheSameForAll(world, flag));
  if (exposure.percentage === 0)
    return { variant: defaultVariant, reason: depends ? 'DEFAULT' : 'STATIC' };
  const by = exposure.by ?? 'targetingKey';
  if (exposure.percentage < 100_000) {
    const unit = unitAt(context, by);
    if (unit === undefined) return MISSING;
    const bucket = (BigInt(murmur3(`${flag.salt}.${unit}`)) * 100_000n) >> 32n;
    if (bucket >= exposure.percentage) return { variant: defaultVariant, reason: 'SPLIT' };
  }
  if (exposure.split) {
    const chosen = choose(flag, { weights: exposure.split, by }, context);
    return chosen === undefined ? MISSING : { variant: chosen, reason: 'SPLIT' };
  }
  const isForAll = exposure.percentage === 100_000 && !depends;
  return { variant: exposure.variant, reason: isForAll ? 'STATIC' : 'SPLIT' };
}

/** Every flag and segment that could be asked exists, and none leads back to itself. */
function isSound(world: World, key: string, above: readonly string[]): boolean {
  if (above.includes(key)) return false;
  const flag = world.flags[key];
  if (!flag) return false;
  if (flag.disabled) return true;
  const { rules, prerequisites } = flag.definition;
  return (
    prerequisites.every(({ flag }) => isSound(world, flag, [...above, key])) &&
    rules.every(({ when }) => segmentsIn(when).every((name) => isSoundSegment(world, name, [])))
  );
}
function isSoundSegment(world: World, key: string, above: readonly string[]): boolean {
  const segment = world.segments[key];
  if (!segment || above.includes(key)) return false;
  return segmentsIn(segment.definition.when).every((name) =>
    isSoundSegment(world, name, [...above, key]),
  );
}
function segmentsIn(condition: Condition | undefined): string[] {
  if (!condition) return [];
  if ('all' in condition) return condition.all.flatMap(segmentsIn);
  if ('any' in condition) return condition.any.flatMap(segmentsIn);
  if ('not' in condition) return segmentsIn(condition.not);
  return 'segment' in condition ? [condition.segment] : [];
}

function isTheSameForAll(world: World, key: string): boolean {
  const flag = world.flags[key];
  if (!flag || flag.disabled) return true;
  const { rules, prerequisites, deniedUsers, allowedUsers, exposure } = flag.definition;
  return (
    deniedUsers.length + allowedUsers.length + rules.length === 0 &&
    prerequisites.every((each) => isTheSameForAll(world, each.flag)) &&
    (exposure.percentage === 0 || (exposure.percentage === 100_000 && !exposure.split))
  );
}

function choose(flag: Flag, { weights, by, input }: Split, context: EvaluationContext) {
  const parts = input
    ? input.map((part) =>
        typeof part === 'string' ? part : textOf(at(context, part.attribute) ?? null),
      )
    : [`${flag.salt}.variant.`, unitAt(context, by ?? 'targetingKey')];
  if (parts.includes(undefined)) return undefined;
  const total = weights.reduce((sum, { weight }) => sum + weight, 0);
  let bucket = Number((BigInt(murmur3(parts.join(''))) * BigInt(total)) >> 32n);
  for (const { variant, weight } of weights) {
    if (bucket < weight) return variant;
    bucket -= weight;
  }
  throw new Error('A bucket lies outside of all weights.');
}

function unitAt(context: EvaluationContext, path: string, textOnly = false): string | undefined {
  const value = at(context, path);
  if (typeof value === 'string' && value !== '') return value;
  if (textOnly || path === 'targetingKey') return undefined;
  return Number.isSafeInteger(value) ? String(value) : undefined;
}

const textOf = (value: unknown): string =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? '[object Object]'
    : String(value);
const at = (context: unknown, path: string): unknown =>
  path
    .split('.')
    .reduce<unknown>(
      (value, name) =>
        typeof value === 'object' && value && Object.hasOwn(value, name)
          ? (value as Record<string, unknown>)[name]
          : undefined,
      context,
    );

function holds(world: World, condition: Condition, context: EvaluationContext): boolean {
  if ('all' in condition) return condition.all.every((each) => holds(world, each, context));
  if ('any' in condition) return condition.any.some((each) => holds(world, each, context));
  if ('not' in condition) return !holds(world, condition.not, context);
  if ('attribute' in condition) return compares(condition, at(context, condition.attribute));
  const { members, excluded, when } = world.segments[condition.segment]!.definition;
  const key = at(context, 'targetingKey');
  if (excluded.some((each) => each === key)) return false;
  if (members.some((each) => each === key)) return true;
  return when !== undefined && holds(world, when, context);
}

function compares({ operator, value, values, ignoreCase }: Comparison, found: unknown): boolean {
  if (operator === 'present') return (found !== undefined && found !== null) === value;
  if (found === undefined || found === null) return false;
  const lower = (each: unknown) =>
    ignoreCase && typeof each === 'string' ? each.toLowerCase() : each;
  const wanted = (values ?? [value]).map(lower);
  const isText = typeof found === 'string';
  const text = isText ? String(lower(found)) : '';
  const isNumber = Number.isFinite(found);
  const [number, operand] = [isNumber ? Number(found) : Number.NaN, Number(value)];
  const [date, moment] = [dateOf(found) ?? Number.NaN, dateOf(value) ?? Number.NaN];
  switch (operator) {
    case 'equals':
    case 'in':
      return wanted.includes(lower(found));
    case 'starts-with':
      return isText && wanted.some((each) => text.startsWith(String(each)));
    case 'ends-with':
      return isText && wanted.some((each) => text.endsWith(String(each)));
    case 'contains':
      if (Array.isArray(found)) return found.some((entry) => wanted.includes(lower(entry)));
      return isText && wanted.some((each) => text.includes(String(each)));
    case 'less-than':
      return isNumber && number < operand;
    case 'at-most':
      return isNumber && number <= operand;
    case 'greater-than':
      return isNumber && number > operand;
    case 'at-least':
      return isNumber && number >= operand;
    case 'before':
      return date < moment;
    case 'after':
      return date > moment;
    case 'semver':
      return isText && semver.satisfies(found, String(value), { includePrerelease: true });
    case 'matches':
      return isText && new RegExp(String(value), ignoreCase ? 'i' : '').test(found);
    case 'cidr':
      return isText && wanted.some((each) => isInNetwork(found, String(each)));
    default:
      throw new Error(`${operator} is compared with flagd itself, in test/conformance.`);
  }
}

/** IPv4 only, as numbers. */
function isInNetwork(address: string, network: string): boolean {
  const number = (text: string) =>
    /^\d+\.\d+\.\d+\.\d+$/.test(text)
      ? text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
      : Number.NaN;
  const [base = '', bits = '32'] = network.split('/');
  const size = 2 ** (32 - Number(bits));
  return Math.floor(number(address) / size) === Math.floor(number(base) / size);
}

/* Small worlds, in which much refers to much. */

const VARIANTS = ['on', 'off', 'dark'] as const;
const FLAGS = ['f0', 'f1', 'f2', 'f3'];
const SEGMENTS = ['s0', 's1', 's2'];
const TEXTS = [
  'x',
  'X',
  'xy',
  '',
  '1',
  '1.2.3',
  '2.0.0-beta.1',
  '10.1.2.3',
  '2026-01-01T00:00:00Z',
];
const scalars = fc.constantFrom(...TEXTS, 0, 1, 1.5, -3, 1_767_225_600_000, true, false);
const paths = fc.constantFrom('a', 'b', 'o.p', 'o', 'targetingKey', 'toString');
const variant = fc.constantFrom(...VARIANTS);

const operandOf = {
  texts: fc.record({ values: fc.array(fc.constantFrom(...TEXTS), { minLength: 1, maxLength: 3 }) }),
  scalars: fc.record({ values: fc.array(scalars, { minLength: 1, maxLength: 3 }) }),
  scalar: fc.record({ value: scalars }),
  number: fc.record({ value: fc.constantFrom(0, 1, 2, -3) }),
  boolean: fc.record({ value: fc.boolean() }),
  date: fc.record({
    value: fc.constantFrom('2026-01-01T00:00:00Z', '2025-12-31T23:00:00-01:30', 1),
  }),
  range: fc.record({ value: fc.constantFrom('>=1.0.0', '^1.2.0', '<2.0.0', '1.x || >=3') }),
  pattern: fc.record({ value: fc.constantFrom('^x', 'y$', '^[0-9.]+$', 'X|1', '') }),
  networks: fc.record({
    values: fc.constantFrom(['10.0.0.0/8'], ['10.1.2.0/24', '0.0.0.0/0'], ['1.2.3.4']),
  }),
};
const operandFor = (operator: Comparison['operator']) => {
  if (operator === 'in') return operandOf.scalars;
  if (operator === 'equals') return operandOf.scalar;
  if (operator === 'present') return operandOf.boolean;
  if (operator === 'before' || operator === 'after') return operandOf.date;
  if (operator === 'semver') return operandOf.range;
  if (operator === 'matches') return operandOf.pattern;
  if (operator === 'cidr') return operandOf.networks;
  return /^(starts|ends|contains)/.test(operator) ? operandOf.texts : operandOf.number;
};
const FOLDING = new Set(['equals', 'in', 'starts-with', 'ends-with', 'contains', 'matches']);
const comparisons = fc
  .constantFrom(...operatorNames.filter((operator) => !operator.startsWith('loosely-')))
  .chain((operator) =>
    fc.tuple(
      fc.constant(operator),
      paths,
      operandFor(operator) as fc.Arbitrary<object>,
      fc.boolean(),
    ),
  )
  .map(([operator, attribute, operand, ignoreCase]) => ({
    attribute,
    operator,
    ...operand,
    ...(FOLDING.has(operator) ? { ignoreCase } : {}),
  }));
const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    comparisons,
    fc.constantFrom(...SEGMENTS).map((segment) => ({ segment })),
    fc.record({ all: fc.array(tie('condition'), { maxLength: 3 }) }),
    fc.record({ any: fc.array(tie('condition'), { maxLength: 3 }) }),
    fc.record({ not: tie('condition') }),
  ),
}));

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const weights = fc
  .array(fc.record({ variant, weight: fc.constantFrom(0, 1, 3, 1_000, 500_000_000) }), {
    minLength: 1,
    maxLength: 4,
  })
  .filter((parts) => parts.some(({ weight }) => weight > 0));
const inputs = fc.array(
  fc.oneof(
    fc.constantFrom('', 'checkout'),
    paths.map((attribute) => ({ attribute })),
  ),
  { minLength: 1, maxLength: 3 },
);
const rules = fc.array(
  fc.oneof(
    fc.record({ name: optional(fc.constant('named')), when: optional(condition), variant }),
    fc.record({
      when: optional(condition),
      split: fc.record({ weights, by: optional(paths), input: optional(inputs) }),
    }),
  ),
  { maxLength: 3 },
);
const users = fc.subarray(['ann', 'x', '1'], { maxLength: 2 });
const written = (value: object): object => JSON.parse(JSON.stringify(value)) as object;

const flags = fc
  .record({
    exposure: fc.record({
      variant,
      percentage: fc.constantFrom(0, 0, 1, 30_000, 99_999, 100_000),
      split: optional(weights),
      by: optional(paths),
    }),
    allowedUsers: fc.oneof(fc.constant([]), users),
    deniedUsers: fc.oneof(fc.constant([]), users),
    rules: fc.oneof(fc.constant([]), rules),
    prerequisites: fc.array(
      fc.record({
        flag: fc.constantFrom(...FLAGS, 'f3', 'f3'),
        variants: fc.subarray([...VARIANTS], { minLength: 1 }),
      }),
      { maxLength: 2 },
    ),
  })
  .map((definition) =>
    flagDefinition.parse({
      type: 'string',
      variants: { on: '1', off: '', dark: '0' },
      defaultVariant: 'off',
      offVariant: 'dark',
      ...written(definition),
    }),
  );
const segments = fc
  .record({ members: users, excluded: users, when: optional(condition) })
  .map((definition) => segmentDefinition.parse(written(definition)));
const disabled = fc.oneof(
  { weight: 5, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.constant({ disabled: { reason: 'down', at: 0, by: 'alex' } }) },
);
/** The later refers to the earlier often, so that few worlds are broken, but some are. */
const worlds: fc.Arbitrary<World> = fc.record({
  flags: fc
    .tuple(...FLAGS.map((key) => fc.tuple(flags, disabled, fc.constant(key))))
    .map((made) =>
      Object.fromEntries(
        made.map(([definition, more, key]) => [key, { definition, salt: `salt-${key}`, ...more }]),
      ),
    ),
  segments: fc
    .array(segments, { minLength: 2, maxLength: 3 })
    .map((made) =>
      Object.fromEntries(made.map((definition, index) => [`s${index}`, { definition }])),
    ),
});
const attributes = fc.oneof(
  scalars,
  fc.constantFrom(null, Number.NaN, Number.POSITIVE_INFINITY, undefined),
  fc.array(scalars, { maxLength: 3 }),
  fc.record({ p: scalars }),
);
const contexts = fc.record(
  {
    targetingKey: fc.constantFrom('ann', 'x', '1', '', 'eve', 'zoe', 7 as unknown as string),
    a: attributes,
    b: attributes,
    o: fc.oneof(attributes, fc.record({ p: attributes })),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<EvaluationContext>;

const recordsOf = ({ flags, segments }: World): (FlagRecord | SegmentRecord)[] => [
  ...Object.entries(flags).map(([key, flag]) => ({ key, epoch: 1, version: 1, flag })),
  ...Object.entries(segments).map(([key, segment]) => ({ key, epoch: 1, version: 1, segment })),
];

function compiledAnswer(
  evaluator: ReturnType<typeof compile>,
  key: string,
  context: EvaluationContext,
): Answer {
  const { variant, reason, errorCode, flagMetadata } = evaluator.evaluate(key, undefined, context);
  const { rule, prerequisite } = flagMetadata;
  return {
    reason,
    ...(variant === undefined ? {} : { variant }),
    ...(errorCode === undefined ? {} : { errorCode }),
    ...(rule === undefined ? {} : { rule }),
    ...(prerequisite === undefined ? {} : { prerequisite }),
  };
}

const RUNS = process.env['NIGHTLY'] ? 20_000 : 1_000;

it('answers as the rules read, for every flag, segment and context', () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(worlds, fc.array(contexts, { minLength: 3, maxLength: 6 }), (world, asking) => {
      const evaluator = compile(recordsOf(world));
      for (const context of asking)
        for (const key of FLAGS) {
          const answer = evaluate(world, key, context);
          expect(compiledAnswer(evaluator, key, context)).toEqual(answer);
          const kind = answer.errorCode ?? answer.reason;
          seen.set(kind, (seen.get(kind) ?? 0) + 1);
        }
    }),
    { numRuns: RUNS },
  );
  // The worlds are no good if they never lead somewhere.
  expect([...seen.keys()].sort()).toEqual([
    'DEFAULT',
    'DISABLED',
    'PARSE_ERROR',
    'PREREQUISITE_FAILED',
    'SPLIT',
    'STATIC',
    'TARGETING_KEY_MISSING',
    'TARGETING_MATCH',
  ]);
});

it('answers after every change as if it had been compiled anew', () => {
  fc.assert(
    fc.property(
      worlds,
      worlds,
      contexts,
      fc.infiniteStream(fc.nat()),
      (before, after, context, choices) => {
        const records = recordsOf(before);
        const evaluator = compile(records);
        for (const change of recordsOf(after)) {
          for (const key of FLAGS) evaluator.evaluate(key, undefined, context);
          const [choice = 0] = choices.take(1);
          const now =
            choice % 4 === 0
              ? 'flag' in change
                ? { ...change, flag: null }
                : { ...change, segment: null }
              : change;
          const index = records.findIndex(
            (each) => each.key === now.key && 'flag' in each === 'flag' in now,
          );
          if (index >= 0) records.splice(index, 1);
          records.push(now);
          evaluator.update([now]);
          const anew = compile(records);
          for (const key of FLAGS)
            expect(evaluator.evaluate(key, undefined, context)).toEqual(
              anew.evaluate(key, undefined, context),
            );
        }
      },
    ),
    { numRuns: RUNS / 5 },
  );
});
