import { z } from 'zod';
import { name } from './fields.ts';
import { atLeast, labels, metricName } from './plan-fields.ts';

/** Chooses the series of one metric: its name and, per label, the exact value or a list of values. */
const selector = z.strictObject({ metric: metricName, where: labels.default({}) });
export type Selector = z.output<typeof selector>;

const address = z.url({ protocol: /^https?$/ });
const prometheus = z.strictObject({
  /** A Prometheus that scrapes by itself. */
  prometheus: z.strictObject({
    /** Without it, the one that the gatekeeper is configured with. */
    url: address.optional(),
    /** How often it scrapes the wanted series: what is older than three intervals is stale. */
    scrapeInterval: atLeast(1).default(15_000),
  }),
});
/** More are for a Prometheus to scrape: every check reads all of them. */
const MOST_ADDRESSES = 50;
const source = z.union([
  z.strictObject({
    /** Addresses whose Prometheus text is read directly. */
    scrape: z
      .array(address)
      .min(1)
      .max(MOST_ADDRESSES, {
        error: `more addresses than a check reads; expected at most ${MOST_ADDRESSES}, or a Prometheus that scrapes them`,
      }),
  }),
  prometheus,
]);
export type Source = z.output<typeof source>;

/** Labels that a part of the traffic has, beside those of the metric: a served variant, a version, a job. */
const arm = z.strictObject({
  where: labels.refine((value) => Object.keys(value).length > 0, {
    error: 'must name at least one label',
  }),
  /** Where this part is read, if not where the metric is. */
  source: source.optional(),
});
export type Arm = z.output<typeof arm>;

/** What the metric was before the rollout began: the `for` that ended `ago` before it. Needs Prometheus. */
const recorded = z.strictObject({
  recorded: z.strictObject({ ago: atLeast(0).default(0), for: atLeast(60_000) }),
});
export type Recorded = z.output<typeof recorded>['recorded'];

const arms = {
  /** The part that has the new version. Without it, the metric as a whole. */
  canary: arm.optional(),
  /** The part it is compared with at the same time, or what was recorded before. */
  baseline: z.union([arm, recorded]).optional(),
};

export const metric = z.discriminatedUnion(
  'type',
  [
    /** bad / total of two counters. */
    z.strictObject({ type: z.literal('ratio'), source, bad: selector, total: selector, ...arms }),
    /** The share of a histogram's observations that are over one of its bucket edges: p95 ≤ 500 ms is "at most 5 % over 500 ms". */
    z.strictObject({
      type: z.literal('latency'),
      source,
      /** The histogram's name, without `_bucket`. */
      histogram: selector,
      over: atLeast(1),
      /** What its edges are in. */
      unit: z.enum(['s', 'ms']).default('s'),
      ...arms,
    }),
    /** How often something happened. */
    z.strictObject({ type: z.literal('count'), source, count: selector, ...arms }),
    /** How often something happens in a time. */
    z.strictObject({
      type: z.literal('rate'),
      source,
      count: selector,
      per: atLeast(1_000).default(1_000),
      ...arms,
    }),
    /** A gauge; of several series one number is made. */
    z.strictObject({
      type: z.literal('value'),
      source,
      gauge: selector,
      of: z.enum(['max', 'min', 'sum', 'mean']).default('max'),
      ...arms,
    }),
    /** What is reported to Tidegate itself: complaints, critical errors, data loss, a security finding. */
    z.strictObject({ type: z.literal('signal'), signal: name, where: labels.default({}) }),
    /** Any expression, as it stands; its answer is one number. */
    z.strictObject({
      type: z.literal('promql'),
      source: prometheus.prefault({ prometheus: {} }),
      query: z.string().trim().min(1).max(8_000),
    }),
    /** An alerting rule of Prometheus: how many of its alerts are firing. */
    z.strictObject({
      type: z.literal('alert'),
      source: prometheus.prefault({ prometheus: {} }),
      alert: z.string().min(1).max(200),
      where: labels.default({}),
    }),
  ],
  { error: 'expected ratio, latency, count, rate, value, signal, promql or alert' },
);
export type Metric = z.output<typeof metric>;
