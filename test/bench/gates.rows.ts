import { FACTORS } from './gates.cases.ts';
import type { Comparison, NullResult, Results } from './gates.ts';
import type { Detection } from './gates.measure.ts';
import { median, quantile, share } from './gates.numbers.ts';
import type { Row } from './main.ts';

const round = (value: number) => Number(value.toPrecision(4));

/** What must be reached, as a factor of the information limit: from the start, and late. */
export const TARGETS = { start: 1.5, late: 3 };
const SHORT = 5;

/**
 * What the median delay may be, in requests. Where the information limit is shorter than five checks, two checks more: a
 * rollback can only come at a check.
 */
export function targetOf({ regression, limit }: Detection): number {
  const { shape, requestsPerSecond, late } = regression;
  const perCheck = (requestsPerSecond * shape.checkEveryMs) / 1_000;
  const room = limit < SHORT * perCheck ? 2 * perCheck : 0;
  return (late ? TARGETS.late : TARGETS.start) * limit + room;
}

/** All figures, in the order of the documents. */
export const rowsOf = (results: Results): Row[] => [
  ...results.nulls.flatMap(nullRows),
  ...detectionRows('three stages of 20 minutes', results.short),
  ...detectionRows('three stages of 20 minutes, five guards', results.shortOfFive),
  ...detectionRows('a day', results.long),
  ...detectionRows('a day, late', results.late),
  ...detectionRows('a day, late, five guards', results.lateOfFive),
  ...results.comparisons.flatMap(comparisonRows),
];

function nullRows({ null: each, runs, rolledBack, held, rivals }: NullResult): Row[] {
  const name = `healthy, ${each.name}`;
  const { high } = share(rolledBack, runs);
  const percent = (subject: string, value: number, what = '') => ({
    case: `${name}${what}`,
    subject,
    value: round(100 * value),
    unit: '%',
  });
  return [
    percent('tidegate', rolledBack / runs, ': rolled back'),
    percent('tidegate', high, ': rolled back, upper end of 95 %'),
    ...(each.promised === true ? [percent('limit', each.shape.risk, ': rolled back')] : []),
    percent('tidegate', held / runs, ': held'),
    ...Object.entries(rivals).map(([label, count]) =>
      percent(label, count / runs, ': rolled back'),
    ),
  ];
}

function detectionRows(where: string, detections: readonly Detection[]): Row[] {
  return detections.flatMap((detection) => {
    const { regression, limit, requests, seconds, missed, held, early } = detection;
    const name = `${where}, ${regression.requestsPerSecond}/s, ×${regression.factor}`;
    const row = (what: string, subject: string, value: number, unit: string) =>
      Number.isFinite(value)
        ? [{ case: `${name}: ${what}`, subject, value: round(value), unit }]
        : [];
    const ofAll = (count: number) => (100 * count) / requests.length;
    return [
      ...row('median delay', 'tidegate', median(seconds), 's'),
      ...row('90 % found within', 'tidegate', quantile(seconds, 0.9), 's'),
      ...row('median delay', 'tidegate', median(requests), 'requests'),
      ...row('median delay', 'limit', targetOf(detection), 'requests'),
      ...row('information limit', 'limit', limit, 'requests'),
      ...row('median delay ÷ information limit', 'tidegate', median(requests) / limit, '×'),
      ...row('missed', 'tidegate', ofAll(missed), '%'),
      ...row('held', 'tidegate', ofAll(held), '%'),
      ...row('rolled back before it', 'tidegate', ofAll(early), '%'),
    ];
  });
}

function comparisonRows({ field, ours, rivals }: Comparison): Row[] {
  const where = `${field.late ? 'a day, late' : 'three stages of 20 minutes'}, ${field.requestsPerSecond}/s, healthy at ${field.healthyAt} × the limit`;
  const own = ours.map(({ regression, seconds }) => ({
    case: `${where}, ×${regression.factor}: median delay`,
    subject: 'tidegate',
    value: median(seconds),
    unit: 's',
  }));
  const theirs = rivals.flatMap(({ name, usual, overall, each }) => {
    const rows = (subject: string, tuned: (typeof usual)[number] | typeof overall) => {
      if (!tuned) return [];
      const wrong = (100 * tuned.falseRollbacks) / tuned.healthy;
      return [
        { case: `${where}: rolled back`, subject, value: round(wrong), unit: '%' },
        ...tuned.medians.flatMap((value, i) => {
          const factor = `×${FACTORS[i]}`;
          if (!Number.isFinite(value)) return [];
          return [{ case: `${where}, ${factor}: median delay`, subject, value, unit: 's' }];
        }),
      ];
    };
    return [
      ...usual.flatMap((tuned) => rows(tuned.label, tuned)),
      ...rows(`${name}, best setting`, overall),
      ...each.flatMap((tuned, i) => {
        const value = tuned?.medians[i] ?? Infinity;
        if (!Number.isFinite(value)) return [];
        const name_ = `${name}, best setting for this one`;
        return [
          { case: `${where}, ×${FACTORS[i]}: median delay`, subject: name_, value, unit: 's' },
        ];
      }),
    ];
  });
  return [...own.filter(({ value }) => Number.isFinite(value)), ...theirs];
}
