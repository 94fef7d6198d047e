import { formatDuration } from '@tidegate/kernel';
import { type About, METRIC_TYPES, type Rule } from './guard-rule.ts';
import { asFields, durationOf } from './plan-values.ts';

const DEFAULT_CHECK_MS = 5_000;
const DEFAULT_SCRAPE_MS = 15_000;
/** A sustained guard keeps a sample per step of its time. */
const MOST_STEPS = 720;

const checkMsOf = ({ plan }: About): number => durationOf(plan['checkEvery']) ?? DEFAULT_CHECK_MS;

/** How often a metric has something new; undefined if every check finds it anew. */
function scrapeMsOf({ metric, type }: About): number | undefined {
  const source = asFields(metric['source']);
  if (!('prometheus' in source) && type !== 'promql') return undefined;
  return durationOf(asFields(source['prometheus'])['scrapeInterval']) ?? DEFAULT_SCRAPE_MS;
}

const wholeSteps: Rule = (about) => {
  const { guard } = about;
  const forMs = durationOf(guard['for']);
  if (guard['judge'] !== 'sustained' || forMs === undefined) return [];
  const checkMs = checkMsOf(about);
  const scrapeMs = scrapeMsOf(about) ?? 0;
  const given = durationOf(guard['step']);
  if (given !== undefined && given < checkMs)
    return [['step', `is shorter than checkEvery; expected at least ${formatDuration(checkMs)}`]];
  if (given !== undefined && given < scrapeMs)
    return [
      [
        'step',
        `is shorter than the metric’s scrapeInterval; expected at least ${formatDuration(scrapeMs)}`,
      ],
    ];
  const step = given ?? Math.max(checkMs, scrapeMs);
  if (forMs < step)
    return [
      ['for', `is shorter than one sample; expected at least ${formatDuration(step)}, its step`],
    ];
  return given !== undefined && forMs > MOST_STEPS * step
    ? [
        [
          'step',
          `makes more than ${MOST_STEPS} samples of ${formatDuration(forMs)}; expected at least ${formatDuration(Math.ceil(forMs / MOST_STEPS / 1_000) * 1_000)}`,
        ],
      ]
    : [];
};

const COUNTED_IN_TIME: ReadonlySet<unknown> = new Set(['count', 'rate', 'signal']);

const withinTime: Rule = (about) => {
  const { guard, type } = about;
  const withinMs = durationOf(guard['within']);
  if (guard['judge'] !== 'immediate' || withinMs === undefined || !METRIC_TYPES.has(type))
    return [];
  if (!COUNTED_IN_TIME.has(type))
    return [
      ['within', `only counts have a time, and "${String(guard['metric'])}" is a ${String(type)}`],
    ];
  const checkMs = Math.max(checkMsOf(about), scrapeMsOf(about) ?? 0);
  return withinMs < checkMs
    ? [['within', `is over before the next check; expected at least ${formatDuration(checkMs)}`]]
    : [];
};

/** Times that a guard looks back over. */
export const timeRules: readonly Rule[] = [wholeSteps, withinTime];
