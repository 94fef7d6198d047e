import { comparisonRules } from './comparison-rules.ts';
import { isGiven, METRIC_TYPES, METRICS_FOR, type Rule } from './guard-rule.ts';
import { asFields, asList, type Fields, type PlanIssue } from './plan-values.ts';
import { timeRules } from './time-rules.ts';

/** The guard that every plan has of its own. */
const RESERVED = 'liveness';

/** What in a plan's guards contradicts itself or the metrics. */
export function guardIssues(plan: Fields): PlanIssue[] {
  const metrics = asFields(plan['metrics']);
  return asList(plan['guards']).flatMap((guard, index) => {
    const name = guard['metric'];
    const metric = typeof name === 'string' ? asFields(metrics[name]) : {};
    const about = { guard, metric, type: metric['type'], plan };
    return RULES.flatMap((rule) => rule(about)).map(([field, message]) => ({
      path: ['guards', index, ...(field === '' ? [] : [field])],
      message,
    }));
  });
}

const ownName: Rule = ({ guard }) =>
  guard['name'] === RESERVED
    ? [['name', `"${RESERVED}" is the guard that every plan has; expected another name`]]
    : [];

const knownMetric: Rule = ({ guard: { metric: name, judge }, type, plan }) => {
  const metrics = asFields(plan['metrics']);
  if (typeof name !== 'string') return [];
  if (!Object.hasOwn(metrics, name)) {
    const known = Object.keys(metrics).join(', ') || '(none declared)';
    return [['metric', `there is no metric "${name}"; expected one of ${known}`]];
  }
  const needed = typeof judge === 'string' ? METRICS_FOR[judge] : undefined;
  if (needed === undefined || !METRIC_TYPES.has(type) || needed.includes(String(type))) return [];
  return [
    [
      'metric',
      `the ${String(judge)} judge needs ${needed.join(', ')}, and "${name}" is a ${String(type)}`,
    ],
  ];
};

/** What happens once or not at all; without a threshold, never. */
const COUNTED: ReadonlySet<unknown> = new Set(['count', 'signal', 'alert']);

const oneThreshold: Rule = ({ guard: { judge, above, below }, type }) => {
  if (judge !== 'sustained' && judge !== 'immediate') return [];
  if (isGiven(above) && isGiven(below))
    return [['below', 'stands beside above; expected one of them']];
  const isCounted = judge === 'immediate' && COUNTED.has(type);
  if (isCounted && isGiven(below))
    return [['below', `a ${String(type)} is too low before it begins; expected above`]];
  return isCounted || isGiven(above) || isGiven(below) || !METRIC_TYPES.has(type)
    ? []
    : [['', 'has no threshold; expected above or below']];
};

const RULES: readonly Rule[] = [
  ownName,
  knownMetric,
  oneThreshold,
  ...comparisonRules,
  ...timeRules,
];
