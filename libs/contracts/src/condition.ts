import { z } from 'zod';
import { name } from './fields.ts';

/** A value that an attribute is compared with. */
const scalar = z.union(
  [z.string(), z.number(), z.boolean()],
  'expected a text, a finite number, true or false',
);
export type Scalar = z.output<typeof scalar>;

/** An attribute of the evaluation context: dots lead into objects, as in `user.plan`. */
export const attributePath = z
  .string()
  .max(256)
  .regex(/^[^.]+(?:\.[^.]+)*$/, 'expected a path of names joined by dots, e.g. user.plan');

/**
 * What each operator compares an attribute with. `texts` and `scalars` stand in `values` (one is enough to match),
 * the rest in `value`. An attribute of another type than the operator needs makes the condition false.
 *   equals, in: same type and value · starts-with, ends-with, contains: texts; `contains` also an entry of a list
 *   less-than … at-least: numbers · before, after: dates, RFC 3339 or ms since 1970 · semver: a range, e.g. ">=2.4.0 <3"
 *   cidr: networks of IPv4 or IPv6 · matches: RE2 syntax, linear time, anywhere in the text · present: true or false
 * `loosely-…`: of flags imported from flagd, so that nobody is moved: attributes are compared across types as flagd's
 * JsonLogic does it, and what flagd cannot compare makes the answer an error, as it does there. Not for new flags.
 *   loosely-equals … at-least: with a text, number or boolean · loosely-contains: in a text or a list
 *   loosely-within: in the text `value` · loosely-null: missing, null, 0 or false · loosely-number: reads as a number
 *   loosely-true: not missing, empty, 0 or false
 *   loosely-semver: one comparison, as in ">= 1.2.0"; also =, !=, <, <=, >, ^ (same major) and ~ (same minor)
 */
export const operators = {
  equals: 'scalar',
  in: 'scalars',
  'starts-with': 'texts',
  'ends-with': 'texts',
  contains: 'texts',
  'less-than': 'number',
  'at-most': 'number',
  'greater-than': 'number',
  'at-least': 'number',
  before: 'date',
  after: 'date',
  semver: 'text',
  cidr: 'texts',
  matches: 'text',
  present: 'boolean',
  'loosely-equals': 'scalar',
  'loosely-less-than': 'scalar',
  'loosely-at-most': 'scalar',
  'loosely-greater-than': 'scalar',
  'loosely-at-least': 'scalar',
  'loosely-contains': 'scalar',
  'loosely-within': 'text',
  'loosely-null': 'boolean',
  'loosely-number': 'boolean',
  'loosely-true': 'boolean',
  'loosely-semver': 'text',
} as const;
export type Operator = keyof typeof operators;
export const operatorNames = Object.keys(operators) as [Operator, ...Operator[]];
const FOLDING: ReadonlySet<Operator> = new Set([
  'equals',
  'in',
  'starts-with',
  'ends-with',
  'contains',
  'matches',
]);

export interface Comparison {
  readonly attribute: string;
  readonly operator: Operator;
  readonly value?: Scalar | undefined;
  readonly values?: readonly Scalar[] | undefined;
  /** Letters count as equal in upper and lower case. */
  readonly ignoreCase?: boolean | undefined;
}

export type Condition =
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition }
  | { readonly segment: string }
  | Comparison;

const KINDS = ['all', 'any', 'not', 'segment', 'attribute'] as const;
const OF_COMPARISON = ['operator', 'value', 'values', 'ignoreCase'] as const;

const fields = z.strictObject({
  get all() {
    return z.array(condition).max(100).optional();
  },
  get any() {
    return z.array(condition).max(100).optional();
  },
  get not() {
    return condition.optional();
  },
  segment: name.optional(),
  attribute: attributePath.optional(),
  operator: z.enum(operatorNames).optional(),
  value: scalar.optional(),
  values: z.array(scalar).min(1).max(1_000).optional(),
  ignoreCase: z.boolean().optional(),
});

/**
 * When a rule or a segment applies: `{ all: [..] }`, `{ any: [..] }`, `{ not: .. }`, `{ segment: 'beta' }` or a
 * comparison such as `{ attribute: 'country', operator: 'in', values: ['AT', 'DE'] }`. Unknown fields are refused:
 * a condition that is understood by half could move users.
 */
export const condition: z.ZodType<Condition> = z.lazy(() =>
  fields.superRefine((written, context) => {
    const add = (path: string | undefined, message: string) => {
      context.addIssue({ code: 'custom', path: path === undefined ? [] : [path], message });
    };
    const kinds = KINDS.filter((kind) => written[kind] !== undefined);
    if (kinds.length !== 1)
      return add(
        undefined,
        `expected exactly one of ${KINDS.join(', ')}; found ${kinds.join(', ') || 'none'}`,
      );
    if (written.attribute !== undefined)
      for (const [field, message] of comparisonProblems(written)) add(field, message);
    else
      for (const field of OF_COMPARISON)
        if (written[field] !== undefined) add(field, 'belongs to a comparison of an attribute');
    return undefined;
  }),
) as unknown as z.ZodType<Condition>;

type Written = Omit<Comparison, 'attribute' | 'operator'> & {
  readonly operator?: Operator | undefined;
};

function comparisonProblems({ operator, value, values, ignoreCase }: Written): [string, string][] {
  if (operator === undefined) return [['operator', `expected one of ${operatorNames.join(', ')}`]];
  const problems: [string, string][] = [];
  const operand = operators[operator];
  const isList = operand === 'texts' || operand === 'scalars';
  const [wanted, other] = isList ? (['values', 'value'] as const) : (['value', 'values'] as const);
  if ((isList ? value : values) !== undefined)
    problems.push([other, `${operator} takes ${wanted}, not ${other}`]);
  const given = isList ? values : value;
  if (given === undefined)
    problems.push([wanted, `${operator} needs ${wanted}: ${EXPECTED[operand]}`]);
  else if (![given].flat().every((each) => fits[operand](each)))
    problems.push([wanted, `expected ${EXPECTED[operand]}`]);
  if (ignoreCase !== undefined && !FOLDING.has(operator))
    problems.push(['ignoreCase', `${operator} knows no case`]);
  return problems;
}

const EXPECTED = {
  scalar: 'a text, a number, true or false',
  scalars: 'a list of texts, numbers, true or false',
  text: 'a text',
  texts: 'a list of texts',
  number: 'a number',
  boolean: 'true or false',
  date: 'a date such as 2026-11-28T10:00:00Z, or ms since 1970',
} as const;

/** With its zone, so that it means the same moment on every machine. */
const RFC_3339 = /^(\d{4}-\d\d-(\d\d))T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i;
/** Of a `Date`. */
const FARTHEST_MS = 8.64e15;

/** ms since 1970; undefined if it is no date. Numbers are taken as ms since 1970. */
export function dateOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Math.abs(value) <= FARTHEST_MS ? value : undefined;
  const [, date, day] = (typeof value === 'string' && RFC_3339.exec(value)) || [];
  if (date === undefined || new Date(date).getUTCDate() !== Number(day)) return undefined;
  const at = Date.parse(String(value));
  return Number.isNaN(at) ? undefined : at;
}

const isText = (value: Scalar): boolean => typeof value === 'string';
const fits = {
  scalar: () => true,
  scalars: () => true,
  text: isText,
  texts: isText,
  number: (value: Scalar): boolean => typeof value === 'number',
  boolean: (value: Scalar): boolean => typeof value === 'boolean',
  date: (value: Scalar): boolean => dateOf(value) !== undefined,
};
