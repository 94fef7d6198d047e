import { formatDuration, isRejection, parseDuration, parsePercentage } from '@tidegate/kernel';
import { z } from 'zod';
import { flagKey, name, variantName } from './fields.ts';
import { migrationActions } from './migration.ts';
import { contradictions } from './plan-rules.ts';

/** A plan is YAML (or JSON). Durations are like "15m", percentages 10 or "10%", limits like "1%". */
const duration = z.string().transform((text, context) => {
  const ms = parseDuration(text);
  if (!isRejection(ms)) return ms;
  context.addIssue({ code: 'custom', message: ms.message });
  return z.NEVER;
});
const atLeast = (ms: number) =>
  duration.refine((value) => value >= ms, { error: `must be at least ${formatDuration(ms)}` });
const percentage = z.union([z.number(), z.string()]).transform((value, context) => {
  const parsed = parsePercentage(value);
  if (!isRejection(parsed)) return parsed;
  context.addIssue({ code: 'custom', message: parsed.message });
  return z.NEVER;
});
/** A share strictly between 0 and 1, written as "1%" or 0.01. */
const share = z.union([z.number(), z.string()]).transform((value, context) => {
  const match = /^\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(String(value));
  const number = match ? Number(match[1]) / 100 : Number(value);
  if (number > 0 && number < 1) return number;
  context.addIssue({
    code: 'custom',
    message: `"${value}" is not between 0% and 100%, as "1%" or 0.01.`,
  });
  return z.NEVER;
});

/** Chooses the series of one counter: a metric's name and, per label, the exact value or a list of values. */
const selector = z.strictObject({
  metric: z
    .string()
    .regex(
      /^[a-zA-Z_:][a-zA-Z0-9_:]*$/,
      'must be the name of a metric, such as checkout_requests_total',
    ),
  where: z.record(z.string(), z.union([z.string(), z.array(z.string()).min(1)])).default({}),
});
export type Selector = z.output<typeof selector>;

const address = z.url({ protocol: /^https?$/ });
const source = z.union([
  z.strictObject({
    /** Addresses whose Prometheus text is read directly. */
    scrape: z.array(address).min(1),
  }),
  z.strictObject({
    /** A Prometheus that scrapes by itself. */
    prometheus: z.strictObject({
      /** Without it, the one that the gatekeeper is configured with. */
      url: address.optional(),
      /** How often it scrapes the wanted series: what is older than three intervals is stale. */
      scrapeInterval: atLeast(1).default(15_000),
    }),
  }),
]);

const metric = z.discriminatedUnion(
  'type',
  [
    /** bad / total of two counters. */
    z.strictObject({ type: z.literal('ratio'), source, bad: selector, total: selector }),
    /** How often something happened. */
    z.strictObject({ type: z.literal('count'), source, count: selector }),
  ],
  { error: 'expected ratio or count' },
);
export type Metric = z.output<typeof metric>;

const guard = z.discriminatedUnion(
  'judge',
  [
    /** Anytime-valid test of a ratio against a limit: rolls a healthy rollout back with at most its share of the risk. */
    z.strictObject({
      name,
      judge: z.literal('sequential'),
      metric: z.string(),
      limit: share,
      weight: z.number().positive().default(1),
    }),
    /** Breaches at the first increase of a count above `above`. */
    z.strictObject({
      name,
      judge: z.literal('immediate'),
      metric: z.string(),
      above: z.number().min(0).default(0),
    }),
  ],
  { error: 'expected sequential or immediate' },
);
export type Guard = z.output<typeof guard>;

/** A step that takes longer pages once. */
const deadline = atLeast(1).optional();
const step = z.union([
  z.strictObject({
    stage: name,
    percentage: percentage.optional(),
    variant: variantName.optional(),
    users: z.array(z.string().min(1)).optional(),
    /** Time covered by successful checks, at least. */
    hold: duration,
    minTrials: z.int().min(0).default(0),
    /**
     * Not checked for so long, it closes itself. The shortest lets a check be lost with its process and be done by
     * another one (a claim of 10 s, 5 s for the slowest target), and be heard of (two heartbeats).
     */
    closeIfSilentFor: atLeast(30_000).optional(),
    deadline,
  }),
  z.strictObject({
    migrate: name,
    action: z.enum(migrationActions),
    batchSize: z.int().min(1).optional(),
    sampleSize: z.int().min(1).optional(),
    deadline,
  }),
  z.strictObject({
    approve: name,
    role: z.enum(['operator', 'approver', 'admin']).default('approver'),
    deadline,
  }),
]);
export type PlanStep = z.output<typeof step>;

export const plan = z
  .strictObject({
    plan: name,
    description: z.string().max(2_000).optional(),
    flag: flagKey,
    /** Of the whole rollout: the probability that a healthy one is rolled back. */
    risk: share.default(0.01),
    checkEvery: atLeast(200).default(5_000),
    /** An unanswered command or missing data pages after this. */
    pageAfter: atLeast(1).default(120_000),
    metrics: z.record(name, metric).default({}),
    guards: z.array(guard).default([]),
    steps: z.array(step).min(1),
  })
  .superRefine((value, context) => {
    for (const { path, message } of contradictions(value))
      context.addIssue({ code: 'custom', path: [...path], message });
  });
export type Plan = z.output<typeof plan>;

export const stepName = (step: PlanStep): string =>
  'stage' in step
    ? step.stage
    : 'migrate' in step
      ? `${step.migrate}/${step.action}`
      : step.approve;
export const stepKind = (step: PlanStep): 'stage' | 'migrate' | 'approve' =>
  'stage' in step ? 'stage' : 'migrate' in step ? 'migrate' : 'approve';
