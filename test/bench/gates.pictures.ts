import { type Chart, COLOURS, type Curve, svgOf } from './gates.charts.ts';
import { FACTORS } from './gates.cases.ts';
import type { Comparison, Results } from './gates.ts';
import type { Detection } from './gates.measure.ts';
import { median, number } from './gates.numbers.ts';
import { callsByLook, evidenceOver } from './gates.paths.ts';
import { targetOf } from './gates.rows.ts';

/** File names with their pictures. */
export function picturesOf(results: Results): ReadonlyMap<string, string> {
  const charts: [string, Chart][] = [
    ['evidence.svg', evidence()],
    ['looking.svg', looking()],
    ['delay.svg', delay(results)],
    ...results.comparisons
      .filter(({ field }) => field.healthyAt === 1 && field.requestsPerSecond <= 100)
      .map((each): [string, Chart] => [pictureOf(each), comparison(each)]),
  ];
  return new Map(charts.map(([file, chart]) => [file, svgOf(chart)]));
}

export const pictureOf = ({ field }: Comparison): string =>
  `rules-${field.late ? 'late' : 'start'}-${field.requestsPerSecond}.svg`;

const LOWEST = -1.5;
const HIGHEST = 6;
const inPowersOfTen = (logE: number) => Math.min(HIGHEST, Math.max(LOWEST, logE / Math.LN10));

function evidence(): Chart {
  const path = (name: string, seed: number, broken?: Parameters<typeof evidenceOver>[1]) => ({
    name,
    points: untilHighest(
      evidenceOver(seed, broken).map(({ minute, logE }) => [minute, inPowersOfTen(logE)] as const),
    ),
  });
  const healthy = Array.from({ length: 20 }, (_, i): Curve => {
    const { name, points } = path('20 healthy ones, at the limit', i + 1);
    return {
      name,
      points: points.filter((_point, check) => check % 4 === 0),
      colour: COLOURS.faint,
      width: 1,
    };
  });
  const needed = (evidenceOver(1).at(-1)?.threshold ?? 0) / Math.LN10;
  const minutes = [0, 40] as const;
  return {
    title: 'Evidence of a breach, check by check (20 requests/s, limit 1 %)',
    x: { name: 'minutes since the stage opened', min: 0, max: 40 },
    y: { name: 'evidence', min: -2, max: HIGHEST, label: odds },
    curves: [
      ...healthy,
      {
        ...path('twice the limit', 3, { factor: 2, fromMinute: 0 }),
        colour: COLOURS.flagger,
      },
      {
        ...path('three times, after 25 minutes', 5, { factor: 3, fromMinute: 25 }),
        colour: COLOURS.tidegate,
      },
      {
        name: 'needed for a rollback',
        points: minutes.map((at) => [at, needed] as const),
        colour: COLOURS.limit,
        line: 'dashed',
      },
    ],
    legend: [
      '20 healthy ones, at the limit',
      'twice the limit',
      'three times, after 25 minutes',
      'needed for a rollback',
    ],
  };
}

const untilHighest = (points: readonly (readonly [number, number])[]) => {
  const end = points.findIndex(([, power]) => power >= HIGHEST);
  return end < 0 ? points : points.slice(0, end + 1);
};

const odds = (power: number): string => {
  const value = 10 ** Math.abs(power);
  if (!Number.isInteger(power)) return '';
  const text = String(value).replaceAll(/\B(?=(\d{3})+$)/g, ' ');
  return power < 0 ? `${text} : 1` : `1 : ${text}`;
};

function looking(): Chart {
  const calls = callsByLook(200);
  return {
    title: 'Healthy rollouts called broken so far, by number of looks',
    x: { name: 'looks, one each 5 s', min: 0, max: calls.length },
    y: { name: 'share of rollouts', min: 0, label: (value) => `${Math.round(100 * value)} %` },
    curves: [
      {
        name: 'a test made for one look, at 1 % each time',
        points: calls.map(({ look, naive }) => [look, naive] as const),
        colour: COLOURS.flagger,
      },
      {
        name: 'Tidegate, evidence of 1 : 100',
        points: calls.map(({ look, ours }) => [look, ours] as const),
        colour: COLOURS.tidegate,
      },
      {
        name: 'what both mean to keep to',
        points: [0, calls.length].map((look) => [look, 0.01] as const),
        colour: COLOURS.limit,
        line: 'dashed',
      },
    ],
  };
}

const AT = 100;
function delay({ long, late }: Results): Chart {
  const at = (all: readonly Detection[]) =>
    all.filter(({ regression }) => regression.requestsPerSecond === AT);
  const curve = (
    name: string,
    all: readonly Detection[],
    of: (detection: Detection) => number,
    style: Pick<Curve, 'colour' | 'line' | 'marked'>,
  ): Curve => ({
    name,
    points: at(all).map((each) => [FACTORS.indexOf(each.regression.factor), of(each)] as const),
    ...style,
  });
  const seconds = (each: Detection) => median(each.seconds);
  return {
    title: `Half of the regressions are found within (${AT} requests/s, limit 1 %, one guard)`,
    x: factors,
    y: delays,
    curves: [
      curve('after 20 hours of health', late, seconds, { colour: COLOURS.second, marked: true }),
      curve('from the start', long, seconds, { colour: COLOURS.tidegate, marked: true }),
      curve('wanted, late', late, (each) => targetOf(each) / AT, {
        colour: COLOURS.second,
        line: 'dotted',
      }),
      curve('no test can on average', long, ({ limit }) => limit / AT, {
        colour: COLOURS.limit,
        line: 'dashed',
      }),
    ],
  };
}

const factors = {
  name: 'regression, times the limit',
  names: FACTORS.map((factor) => `×${factor}`),
};
const delays = {
  name: 'time to the rollback',
  log: true,
  label: (value: number) => `${number(value)} s`,
};

function comparison({ field, ours, rivals }: Comparison): Chart {
  const { late, requestsPerSecond } = field;
  const colours: Record<string, string> = {
    flagger: COLOURS.flagger,
    'argo-rollouts': COLOURS.argo,
    'prometheus-alert': COLOURS.alert,
  };
  const points = (values: readonly number[]) => values.map((value, i) => [i, value] as const);
  return {
    title: `${late ? 'After 20 hours of a day' : 'From the start'}, ${requestsPerSecond} requests/s: half are found within`,
    x: factors,
    y: delays,
    curves: [
      {
        name: 'Tidegate',
        points: points(ours.map(({ seconds }) => median(seconds))),
        colour: COLOURS.tidegate,
        width: 3,
        marked: true,
      },
      ...rivals.map(({ name, overall }): Curve => ({
        name: `${name}, best setting`,
        points: points(overall?.medians ?? []),
        colour: colours[name] ?? COLOURS.limit,
        marked: true,
      })),
    ],
  };
}
