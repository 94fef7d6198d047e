import { between, pick, type Random, seeded } from '../random.ts';

export interface LegacyPipeline {
  readonly department: string;
  readonly stage: string;
  readonly shares: readonly { readonly stage: string; readonly share: number }[];
}

/** Every spelling that programs have ever written. */
export const LEGACY_NAMES = [
  'Applied',
  'NEW',
  'received',
  'screening',
  'Phone Screen',
  'phone_screen',
  'CV review',
  'Interview',
  'interviewing',
  'Onsite',
  'On-site',
  'second interview',
  'Assessment',
  'Case-Study',
  'references',
  'offer',
  'Offer made',
  'negotiation',
  'Hired',
  'onboarding',
  'closed',
  'Rejected',
  'withdrawn',
] as const;
const DEPARTMENTS = ['sales', 'care', 'kitchen', 'school'];

/** @param strangers share of pipelines that cannot be normalized: an unknown name, nothing at all, less than nothing */
export function* pipelines(
  count: number,
  { seed, strangers = 0 }: { readonly seed: number; readonly strangers?: number },
): Generator<LegacyPipeline> {
  const random = seeded(seed);
  for (let n = 0; n < count; n += 1) {
    const pipeline = pipelineOf(random);
    yield random() < strangers ? spoilt(random, pipeline) : pipeline;
  }
}

function pipelineOf(random: Random): LegacyPipeline {
  const unit = pick(random, [shareOf, percentageOf, countOf]);
  const shares = Array.from({ length: between(random, 1, 8) }, () => ({
    stage: pick(random, LEGACY_NAMES),
    share: unit(random),
  }));
  // Something is always there, or it could not add up to 1.
  const first = { stage: pick(random, LEGACY_NAMES), share: 1 };
  return { department: pick(random, DEPARTMENTS), stage: first.stage, shares: [first, ...shares] };
}

const shareOf = (random: Random): number => random();
/** Rounded, as people type them: together they are rarely 100. */
const percentageOf = (random: Random): number => Math.round(random() * 1_000) / 10;
const countOf = (random: Random): number => between(random, 0, 5_000);

function spoilt(random: Random, { shares: [first], ...rest }: LegacyPipeline): LegacyPipeline {
  const stage = first?.stage ?? '';
  const shares = pick(random, [
    [],
    [{ stage, share: 0 }],
    [{ stage, share: -1 }],
    [{ stage: 'Limbo', share: 1 }],
  ]);
  return { ...rest, shares };
}
