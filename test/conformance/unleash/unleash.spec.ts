import { afterAll, describe, expect, it } from '@jest/globals';
import { type Condition, flag, type Operator, type Scalar } from '@tidegate/contracts';
import { compile } from '@tidegate/evaluation';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What Unleash expects of its operators, asked of ours: the constraints become conditions, here alone. */
interface Constraint {
  readonly contextName: string;
  readonly operator: string;
  readonly values?: readonly string[];
  readonly value?: string;
  readonly inverted?: boolean;
  readonly caseInsensitive?: boolean;
}
interface Specification {
  readonly name: string;
  readonly state: {
    readonly features: readonly {
      readonly name: string;
      readonly strategies: readonly { readonly constraints?: readonly Constraint[] }[];
    }[];
  };
  readonly tests: readonly {
    readonly description: string;
    readonly context: Readonly<Record<string, unknown>> & { readonly properties?: object };
    readonly toggleName: string;
    readonly expectedResult: boolean;
  }[];
}

const folder = join(import.meta.dirname, 'specifications');
const specifications = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Specification);

const OPERATORS: Readonly<Record<string, Operator>> = {
  IN: 'in',
  NOT_IN: 'in',
  STR_STARTS_WITH: 'starts-with',
  STR_ENDS_WITH: 'ends-with',
  STR_CONTAINS: 'contains',
  NUM_EQ: 'equals',
  NUM_LT: 'less-than',
  NUM_LTE: 'at-most',
  NUM_GT: 'greater-than',
  NUM_GTE: 'at-least',
  DATE_BEFORE: 'before',
  DATE_AFTER: 'after',
  SEMVER_EQ: 'semver',
  SEMVER_LT: 'semver',
  SEMVER_LTE: 'semver',
  SEMVER_GT: 'semver',
  SEMVER_GTE: 'semver',
  REGEX: 'matches',
  IN_CIDR: 'cidr',
};
const RANGES: Readonly<Record<string, string>> = {
  EQ: '=',
  LT: '<',
  LTE: '<=',
  GT: '>',
  GTE: '>=',
};
const LISTS = new Set<Operator>(['in', 'starts-with', 'ends-with', 'contains', 'cidr']);
const NEVER: Condition = { any: [] };

function conditionOf(constraint: Constraint): Condition {
  const { contextName, operator, values = [], caseInsensitive } = constraint;
  const ours = OPERATORS[operator];
  if (ours === undefined) return NEVER;
  const isNumber = operator.startsWith('NUM_');
  const condition: Condition = {
    // Unleash's contexts are texts: a number is asked for in a copy that holds numbers.
    attribute: isNumber ? `numbers.${contextName}` : contextName,
    operator: ours,
    ...(LISTS.has(ours) ? { values } : { value: operandOf(constraint) }),
    ...(caseInsensitive === true && ours !== 'cidr' ? { ignoreCase: true } : {}),
  };
  const isInverted = (operator === 'NOT_IN') !== (constraint.inverted === true);
  return isInverted ? { not: condition } : condition;
}

function operandOf({ operator, value = '' }: Constraint): Scalar {
  if (operator.startsWith('NUM_')) return Number(value);
  const [kind, range = ''] = operator.split('_');
  return kind === 'SEMVER' ? `${RANGES[range]}${value}` : value;
}

function contextOf({ properties, ...rest }: Specification['tests'][number]['context']) {
  const all: Record<string, unknown> = { ...properties, ...rest };
  const numbers = Object.entries(all).map(([name, value]) => [name, Number(value)]);
  return { ...all, numbers: Object.fromEntries(numbers) as object };
}

const evaluatorOf = ({ state }: Specification) =>
  compile(
    state.features.map(({ name, strategies }) => {
      const definition = {
        type: 'boolean' as const,
        variants: { on: true, off: false },
        defaultVariant: 'off',
        offVariant: 'off',
        exposure: { variant: 'on', percentage: 0 },
      };
      const rules = strategies.map(({ constraints = [] }) => ({
        when: { all: constraints.map(conditionOf) },
        variant: 'on',
      }));
      // The rules are put in as they are: some operands are wrong, and must only make their condition false.
      const made = flag.parse({ definition, salt: 'none' });
      return {
        key: name,
        epoch: 1,
        version: 1,
        flag: { ...made, definition: { ...made.definition, rules } },
      };
    }),
  );

/** Ours answer otherwise, and shall. */
const OTHERWISE: Readonly<Record<string, string>> = {
  'F8.invalidSemverWithLeadingV - invalid semver resolves to false':
    'a version may begin with a v, as node-semver reads it',
  'Valid CIDR should match even when invalid entries exist':
    'a list with an entry that is no network is refused when it is written',
  'Valid IPv6 CIDR should match even when invalid entries exist':
    'a list with an entry that is no network is refused when it is written',
};
const testsOf = ({ tests }: Specification) =>
  tests.filter(({ description }) => OTHERWISE[description] === undefined);

afterAll(() => {
  const all = specifications.flatMap(({ tests }) => tests);
  const otherwise = Object.entries(OTHERWISE).map(([what, why]) => `  otherwise: ${what}: ${why}`);
  const counted = `Unleash: ${specifications.flatMap(testsOf).length} of ${all.length} cases answered alike`;
  process.stdout.write(`${[counted, ...otherwise].join('\n')}\n`);
});

it('leaves out only what is named here', () => {
  expect(specifications.flatMap(testsOf)).toHaveLength(117);
});

describe.each(specifications)('Unleash: $name', (specification) => {
  const evaluator = evaluatorOf(specification);
  it.each(testsOf(specification))('$description', ({ toggleName, context, expectedResult }) => {
    const { value } = evaluator.evaluate(toggleName, false, contextOf(context));
    expect(value).toBe(expectedResult);
  });
});
