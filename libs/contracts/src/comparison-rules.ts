import { share } from './plan-fields.ts';
import { isGiven, isRecorded, METRIC_TYPES, type Rule } from './guard-rule.ts';
import { asFields, asList, numberOf } from './plan-values.ts';

/** A share of requests has an end, the number of events in a time has none. */
const shareLimit: Rule = ({ guard: { limit }, type }) =>
  !isShare(type, limit) || !isGiven(limit) || share.safeParse(limit).success
    ? []
    : [['limit', 'must be between 0% and 100%, as "1%" or 0.01']];

const isShare = (type: unknown, limit: unknown): boolean =>
  type === 'ratio' || type === 'latency' || (typeof limit === 'string' && limit.includes('%'));

const againstSomething: Rule = ({ guard: { judge, limit, margin } }) =>
  judge === 'sequential' && !isGiven(limit) && !isGiven(margin)
    ? [['', 'is against nothing; expected limit, margin or both']]
    : [];

const comparedWith: Rule = (about) => {
  const { guard, metric, type } = about;
  if (guard['judge'] !== 'sequential' || !isGiven(guard['margin']) || !METRIC_TYPES.has(type))
    return [];
  const name = String(guard['metric']);
  if (!isGiven(metric['baseline']))
    return [['margin', `is on a baseline, and the metric "${name}" has none`]];
  if (isRecorded(about)) return [];
  if (type === 'rate')
    return [
      [
        'margin',
        `"${name}" is a rate: how often something happens depends on how much traffic each part gets; expected a recorded baseline`,
      ],
    ];
  return isGiven(metric['canary']) || isGiven(asFields(metric['baseline'])['source'])
    ? []
    : [
        [
          'margin',
          `would compare the metric "${name}" with a part of itself; expected a canary in the metric, or a source of its own for its baseline`,
        ],
      ];
};

/** Below it numbers with 16 digits cannot tell one minus a rate from one, and nobody counts so many requests. */
const LEAST_LIMIT = 1e-9;
const countable: Rule = ({ guard }) => {
  const limit = numberOf(guard['limit']);
  return guard['judge'] !== 'sequential' ||
    limit === undefined ||
    limit <= 0 ||
    limit >= LEAST_LIMIT
    ? []
    : [
        [
          'limit',
          `is so small that nothing can be told from it; expected at least ${LEAST_LIMIT.toExponential()}`,
        ],
      ];
};

/** What is to be seen is at least so many times what is allowed: a smaller difference takes millions of errors, or for ever. */
const CLEARLY = 1.1;

const beyondLimit: Rule = ({ guard, type }) => {
  const detect = numberOf(guard['detect']);
  const limit = numberOf(guard['limit']);
  const margin = numberOf(guard['margin']);
  if (guard['judge'] !== 'sequential' || detect === undefined) return [];
  if (isGiven(guard['margin']))
    return margin === undefined
      ? []
      : tooClose(detect, 1 + margin, CLEARLY * (1 + margin), {
          to: 'margin',
          expected: 'with margin it is how many times as bad as the baseline, expected',
        });
  if (type !== 'rate' && detect >= 1)
    return [['detect', 'is a share of the requests; expected less than 100%']];
  if (limit === undefined) return [];
  const most = type === 'rate' ? Infinity : (1 + limit) / 2;
  const least = Math.min(CLEARLY * limit, most);
  return tooClose(detect, limit, least, { to: 'limit', expected: 'expected' });
};

/** A rounded number is not refused for what it lost. */
const ROUNDED = 1 - 1e-9;

function tooClose(
  detect: number,
  allowed: number,
  least: number,
  { to, expected }: { readonly to: string; readonly expected: string },
): ReturnType<Rule> {
  if (detect >= least * ROUNDED && detect > allowed) return [];
  const what = detect > allowed ? `is too close to ${to} to be told from it` : 'is no regression';
  return [['detect', `${what}; ${expected} at least ${Number(least.toPrecision(6))}`]];
}

const splitOfTwo: Rule = (about) => {
  const { guard, metric, type, plan } = about;
  if (guard['judge'] !== 'split' || !METRIC_TYPES.has(type)) return [];
  const name = String(guard['metric']);
  if (!isGiven(metric['canary']) || !isGiven(metric['baseline']) || isRecorded(about))
    return [
      ['metric', `"${name}" is not split; expected a canary and a baseline at the same time in it`],
    ];
  const open = asList(plan['steps']).find(
    (step) => 'stage' in step && !isGiven(step['percentage']),
  );
  return open === undefined || isGiven(guard['canaryShare'])
    ? []
    : [['', `expected canaryShare, as stage ${String(open['stage'])} has no percentage`]];
};

/** What a guard tests against: a limit, a baseline, a split. */
export const comparisonRules: readonly Rule[] = [
  shareLimit,
  againstSomething,
  comparedWith,
  countable,
  beyondLimit,
  splitOfTwo,
];
