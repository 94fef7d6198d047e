import { share } from './plan-fields.ts';
import { isGiven, isRecorded, METRIC_TYPES, type Rule } from './guard-rule.ts';
import { asFields, asList, numberOf } from './plan-values.ts';

/** A share of requests has an end, the number of events in a time has none. */
const shareLimit: Rule = ({ guard: { limit }, type }) =>
  (type !== 'ratio' && type !== 'latency') || !isGiven(limit) || share.safeParse(limit).success
    ? []
    : [['limit', 'must be between 0% and 100%, as "1%" or 0.01']];

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

const beyondLimit: Rule = ({ guard, type }) => {
  const detect = numberOf(guard['detect']);
  const limit = numberOf(guard['limit']);
  const margin = numberOf(guard['margin']);
  if (guard['judge'] !== 'sequential' || detect === undefined) return [];
  if (isGiven(guard['margin']))
    return margin === undefined || detect > 1 + margin
      ? []
      : [
          [
            'detect',
            `is no regression; with margin it is how many times as bad as the baseline, expected more than ${1 + margin}`,
          ],
        ];
  if (limit !== undefined && detect <= limit)
    return [['detect', 'is no regression; expected more than limit']];
  return type !== 'rate' && detect >= 1
    ? [['detect', 'is a share of the requests; expected less than 100%']]
    : [];
};

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
  beyondLimit,
  splitOfTwo,
];
