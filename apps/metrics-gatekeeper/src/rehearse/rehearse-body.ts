import { name } from '@tidegate/contracts';
import { isRejection, parseDuration } from '@tidegate/kernel';
import { z } from 'zod';

/** ms since 1970, or as in ISO 8601 with a zone. */
const instant = z
  .union([z.int().min(0), z.iso.datetime({ offset: true })])
  .transform((value) => (typeof value === 'number' ? value : Date.parse(value)));

const duration = z.string().transform((text, context) => {
  const ms = parseDuration(text);
  if (!isRejection(ms) && ms > 0) return ms;
  context.addIssue({ code: 'custom', message: `"${text}" is no duration; expected one like 15s.` });
  return z.NEVER;
});

/** A value of the notation takes longer to read than a line of OpenMetrics: a second for all of this. */
const LARGEST_NOTATION = 8 * 1_024 * 1_024;

const data = z.union(
  [
    z.strictObject({
      /** What a Prometheus has of the plan's series. */
      prometheus: z.strictObject({
        /** The one that the service is configured with, if left out. */
        url: z.url({ protocol: /^https?$/ }).optional(),
        from: instant,
        until: instant,
      }),
    }),
    /** A file in the OpenMetrics text format, with timestamps: as `promtool tsdb dump-openmetrics` writes it. */
    z.strictObject({ openMetrics: z.string().min(1) }),
    z.strictObject({
      /** Series in promtool's notation: `requests_total{code="500"} 0+1x10`, one a line, or a rule test. */
      series: z.string().min(1).max(LARGEST_NOTATION),
      /** Between two values, where the text does not say. */
      interval: duration.optional(),
      /** Of the first value. */
      startAt: instant.default(0),
    }),
  ],
  {
    error:
      'expected one of {prometheus: {from, until}}, {openMetrics: "…"} and {series: "…", interval: "15s"}',
  },
);
export type RehearseData = z.output<typeof data>;

export const rehearseBody = z.strictObject({
  /** A version that is stored; the newest if left out. */
  version: z.int().min(1).optional(),
  /** A plan that is not stored, as its text: then no version. */
  text: z.string().min(1).optional(),
  environment: name.default('production'),
  data,
  /** The part of the data that is played; all of it if left out. */
  from: instant.optional(),
  until: instant.optional(),
  /** Regressions to be put into the data, one rehearsal each: `errors×2@canary`, `+100ms@10m`, … */
  inject: z.array(z.string().min(1).max(200)).max(10).default([]),
  /** All standard ones, at every stage and bake, for every guard by itself. */
  mutate: z.boolean().default(false),
});
