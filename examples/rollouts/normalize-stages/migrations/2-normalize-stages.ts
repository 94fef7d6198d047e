import { defineMigration } from '@tidegate/migration';

type StageKey = 'applied' | 'screening' | 'interview' | 'assessment' | 'offer' | 'hired' | 'closed';
type Distribution = Readonly<Partial<Record<StageKey, number>>>;

/** A row of `pipelines`; `shares` and `distribution` are jsonb. Legacy shares are percentages, counts or shares, in any spelling of a stage; they stay. */
type Pipeline = {
  readonly id: unknown;
  readonly department: string;
  /** The stage that most are at, as a legacy name. */
  readonly stage: string;
  readonly shares: readonly { readonly stage: string; readonly share: number }[];
  readonly stage_key?: StageKey | null;
  /** Shares by stage that add up to 1. */
  readonly distribution?: Distribution | null;
  readonly distribution_form?: number | null;
};

/** Every name of a stage that was ever written, compared in lower case without what is no letter. */
const KEYS: Readonly<Record<string, StageKey>> = {
  applied: 'applied',
  new: 'applied',
  received: 'applied',
  screening: 'screening',
  phonescreen: 'screening',
  cvreview: 'screening',
  interview: 'interview',
  interviewing: 'interview',
  onsite: 'interview',
  secondinterview: 'interview',
  assessment: 'assessment',
  casestudy: 'assessment',
  references: 'assessment',
  offer: 'offer',
  offermade: 'offer',
  negotiation: 'offer',
  hired: 'hired',
  onboarding: 'hired',
  closed: 'closed',
  rejected: 'closed',
  withdrawn: 'closed',
};
const TOLERANCE = 1e-6;

function keyOf(name: string): StageKey {
  const plain = name.toLowerCase().replaceAll(/[^a-z]/g, '');
  const key = Object.hasOwn(KEYS, plain) ? KEYS[plain] : undefined;
  if (key === undefined) throw new Error(`"${name}" is no name of a stage`);
  return key;
}

function distributionOf({ shares }: Pipeline): Distribution {
  const sums = new Map<StageKey, number>();
  for (const { stage, share } of shares) {
    if (typeof share !== 'number' || !(share >= 0 && share < Infinity))
      throw new Error(`${stage} has the share ${share}`);
    sums.set(keyOf(stage), (sums.get(keyOf(stage)) ?? 0) + share);
  }
  const whole = sumOf(sums.values());
  if (!(whole > 0 && whole < Infinity)) throw new Error('the shares add up to nothing');
  return Object.fromEntries([...sums].map(([key, share]) => [key, share / whole]));
}

const sumOf = (values: Iterable<number>): number =>
  [...values].reduce((sum, value) => sum + value, 0);

export default defineMigration<Pipeline>({
  id: 'normalize-stages',
  description: 'Stages by one name each, and their shares so that they add up to 1.',
  target: 'reporting',
  collection: 'pipelines',
  dependsOn: ['pipelines-distribution-columns'],
  pending: { distribution_form: { equals: null } },
  reads: ['stage', 'shares'],
  up: (pipeline) => {
    if (pipeline.distribution_form === 1) return pipeline;
    if ((pipeline.stage_key ?? pipeline.distribution ?? null) !== null)
      throw new Error('there is a distribution already, and not of a form that is known');
    return {
      ...pipeline,
      stage_key: keyOf(pipeline.stage),
      distribution: distributionOf(pipeline),
      distribution_form: 1,
    };
  },
  down: (pipeline) => ({
    ...pipeline,
    stage_key: null,
    distribution: null,
    distribution_form: null,
  }),
  invariants: [
    {
      name: 'distribution-adds-up-to-one',
      holds: ({ distribution }) =>
        !distribution || Math.abs(1 - sumOf(Object.values(distribution))) <= TOLERANCE,
    },
    {
      name: 'shares-are-not-negative',
      holds: ({ distribution }) => Object.values(distribution ?? {}).every((share) => share >= 0),
    },
    {
      name: 'stages-are-known',
      holds: ({ stage_key, distribution }) =>
        [...(stage_key ? [stage_key] : []), ...Object.keys(distribution ?? {})].every(
          (key) => KEYS[key] === key,
        ),
    },
  ],
  groupBy: ({ stage }) => stage,
  mapping: ({ stage, stage_key }) => stage_key ?? stage,
  samples: [
    {
      id: 1,
      department: 'sales',
      stage: 'Phone Screen',
      shares: [
        { stage: 'Phone Screen', share: 33.3 },
        { stage: 'phone_screen', share: 33.3 },
        { stage: 'Onsite', share: 33.4 },
      ],
      stage_key: null,
      distribution: null,
      distribution_form: null,
    },
    {
      id: 2,
      department: 'care',
      stage: 'NEW',
      shares: [
        { stage: 'NEW', share: 7 },
        { stage: 'Case-Study', share: 0 },
        { stage: 'withdrawn', share: 2 },
      ],
      stage_key: null,
      distribution: null,
      distribution_form: null,
    },
    {
      id: 3,
      department: 'care',
      stage: 'hired',
      shares: [{ stage: 'hired', share: 1e-9 }],
      stage_key: null,
      distribution: null,
      distribution_form: null,
    },
  ],
});
