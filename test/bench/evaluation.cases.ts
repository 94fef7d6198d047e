import { flagDefinition, type FlagRecord } from '@tidegate/contracts';

/** Each case in every subject's own words: the same flags, as far as the subject can say them. */
export const cases = ['simple', 'targeted', 'split', 'prerequisite'] as const;
export type Case = (typeof cases)[number];

/** `targeted`: this plan is on, of these countries half is on, the rest is off. */
export const PLAN = 'enterprise';
export const COUNTRIES = ['AT', 'DE', 'CH', 'NL', 'FR'];
const OTHERS = ['US', 'CA', 'JP', 'IN', 'BR'];
const PLANS = ['free', 'free', 'free', 'team', 'team', 'team', 'team', PLAN];
/** `split`: a quarter, a quarter and a half. */
export const SHARES = [
  { variant: 'a', weight: 25 },
  { variant: 'b', weight: 25 },
  { variant: 'c', weight: 50 },
];
/** `prerequisite`: `targeted`, behind one of ten flags that are on for all. */
const PARENTS = 10;
export const parents = Array.from({ length: PARENTS }, (_, i) => `parent-${i}`);
export const parentOf = (index: number): string => parents[index % PARENTS] ?? '';

export interface User {
  readonly key: string;
  readonly country: string;
  readonly plan: string;
}

/** Distinct keys, so that no answer can be remembered. */
export const users: readonly User[] = Array.from({ length: 100_000 }, (_, i) => ({
  key: `user-${(i * 7_919) % 1_000_003}`,
  country: [...COUNTRIES, ...OTHERS][i % 10] ?? '',
  plan: PLANS[(i * 31) % PLANS.length] ?? '',
}));
export const contexts = users.map(({ key, country, plan }) => ({
  targetingKey: key,
  country,
  plan,
}));

export const keysOf = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `flag-${i}`);
export const saltOf = (index: number): string => `3f0c9d1e-7a42-4f0b-9f0e-${index + 1_000_000}`;

const boolean = {
  type: 'boolean',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  offVariant: 'off',
  exposure: { variant: 'on', percentage: 0 },
};
const halves = [
  { variant: 'on', weight: 50 },
  { variant: 'off', weight: 50 },
];
const targeting = [
  { when: { attribute: 'plan', operator: 'equals', value: PLAN }, variant: 'on' },
  {
    when: { attribute: 'country', operator: 'in', values: COUNTRIES },
    split: { weights: halves },
  },
];
const everyone = { ...boolean, exposure: { variant: 'on', percentage: 100_000 } };
const definitionOf: Record<Case, (index: number) => object> = {
  simple: () => everyone,
  targeted: () => ({ ...boolean, rules: targeting }),
  split: () => ({
    type: 'string',
    variants: { a: 'a', b: 'b', c: 'c' },
    defaultVariant: 'c',
    offVariant: 'c',
    exposure: { variant: 'c', percentage: 0 },
    rules: [{ split: { weights: SHARES } }],
  }),
  prerequisite: (index) => ({
    ...boolean,
    rules: targeting,
    prerequisites: [{ flag: parentOf(index), variants: ['on'] }],
  }),
};

export function recordsOf(of: Case, count: number): FlagRecord[] {
  const record = (key: string, index: number, definition: object): FlagRecord => ({
    key,
    epoch: 1,
    version: 1,
    flag: { definition: flagDefinition.parse(definition), salt: saltOf(index) },
  });
  return [
    ...keysOf(count).map((key, index) => record(key, index, definitionOf[of](index))),
    ...(of === 'prerequisite' ? parents.map((key, i) => record(key, -i, everyone)) : []),
  ];
}
