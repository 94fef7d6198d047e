import { describe, expect, it } from '@jest/globals';
import { isRejection } from '@tidegate/kernel';
import { columnsOf, type RecordedSeries } from '@tidegate/metrics-source';
import { inject } from './inject.ts';
import { changeText, readInjection } from './injection.ts';
import { standardChanges } from './standard-changes.ts';
import { counter, planFrom, START } from './recorded.memory.ts';
import type { Recording } from './recording.ts';

const PLAN = planFrom(`
plan: p
flag: f
metrics:
  errors:
    type: ratio
    source: { prometheus: {} }
    bad: { metric: requests_total, where: { status: error } }
    total: { metric: requests_total }
    canary: { where: { version: new } }
    baseline: { where: { version: old } }
  all:
    type: ratio
    source: { prometheus: {} }
    bad: { metric: requests_total, where: { status: error } }
    total: { metric: requests_total }
  slow: { type: latency, source: { prometheus: {} }, histogram: { metric: request_seconds }, over: 500ms }
  lost: { type: count, source: { prometheus: {} }, count: { metric: lost_total } }
  gauge: { type: value, source: { prometheus: {} }, gauge: { metric: lag_seconds } }
  query: { type: promql, query: sum(lag_seconds) }
  alert: { type: alert, alert: TooSlow, where: { team: shop } }
  complaints: { type: signal, signal: complaints }
guards:
  - { name: errors, judge: sequential, metric: errors, limit: 1% }
  - { name: all, judge: sequential, metric: all, limit: 1% }
  - { name: slow, judge: sequential, metric: slow, limit: 5% }
  - { name: lost, judge: immediate, metric: lost }
  - { name: lag, judge: sustained, metric: gauge, above: 30, for: 1m }
  - { name: sum, judge: sustained, metric: query, below: 2, for: 1m }
  - { name: alert, judge: immediate, metric: alert }
  - { name: complaints, judge: immediate, metric: complaints, above: 5 }
  - { name: split, judge: split, metric: errors }
steps:
  - { stage: canary, percentage: 10, hold: 10m }
`);
const SCRAPE = { everyMs: 10_000, scrapes: 21 };
const FROM = START + 100_000;
const grows = (name: string, labels: Record<string, string>, each: number) =>
  counter(name, labels, () => each, SCRAPE);
const recording: Recording = {
  series: [
    grows('requests_total', { version: 'new', status: 'ok' }, 99),
    grows('requests_total', { version: 'new', status: 'error' }, 1),
    grows('requests_total', { version: 'old', status: 'ok' }, 900),
    grows('request_seconds_bucket', { le: '0.25' }, 80),
    grows('request_seconds_bucket', { le: '0.5' }, 100),
    grows('request_seconds_bucket', { le: '+Inf' }, 100),
    grows('lost_total', { kind: 'order' }, 0),
    {
      ...grows('lag_seconds', {}, 0),
      points: [
        [START, 4],
        [FROM + 5_000, 4],
      ],
    },
    {
      ...grows('sum(lag_seconds)', {}, 0),
      points: [
        [START, 4],
        [FROM + 5_000, 4],
      ],
    },
  ],
};

type Labels = Record<string, string>;
const changed = (text: string): Recording => {
  const injection = readInjection(text, PLAN);
  if (isRejection(injection)) throw new Error(injection.message);
  return inject(recording, PLAN, injection.change, FROM);
};
const has = ({ labels }: RecordedSeries, wanted: Labels) =>
  Object.entries(wanted).every(([label, value]) => labels[label] === value);
/** Growth of all matching series before and after the change, per scrape. */
function growth({ series }: Recording, name: string, labels: Labels): [number, number] {
  const chosen = series.filter((each) => each.name === name && has(each, labels));
  const sumAt = (index: number) =>
    chosen.reduce((sum, each) => sum + (columnsOf(each).values[index] ?? 0), 0);
  return [(sumAt(10) - sumAt(0)) / 10, (sumAt(20) - sumAt(10)) / 10];
}
const valueAfter = ({ series }: Recording, name: string): number | undefined => {
  const found = series.find((each) => each.name === name);
  return found && columnsOf(found).values.at(-1);
};

describe('an injection changes the new version from its instant on, and nothing before:', () => {
  it('errors×3', () => {
    const after = changed('errors×3');
    expect(growth(after, 'requests_total', { status: 'error' })).toEqual([1, 3]);
    expect(growth(after, 'requests_total', { status: 'ok', version: 'new' })).toEqual([99, 99]);
  });

  it('errors+50%, which takes them from the good ones, each series once', () => {
    const after = changed('errors+50%');
    expect(growth(after, 'requests_total', { version: 'new' })).toEqual([100, 100]);
    expect(growth(after, 'requests_total', { version: 'new', status: 'error' })).toEqual([1, 50.5]);
  });

  it('+250ms, which moves what the buckets count', () => {
    const after = changed('+250ms');
    expect(growth(after, 'request_seconds_bucket', { le: '0.25' })).toEqual([80, 0]);
    expect(growth(after, 'request_seconds_bucket', { le: '0.5' })).toEqual([100, 80]);
    expect(growth(after, 'request_seconds_bucket', { le: '+Inf' })).toEqual([100, 100]);
    const half = growth(changed('+125ms'), 'request_seconds_bucket', { le: '0.5' });
    expect(half).toEqual([100, 90]);
  });

  it('events+60, of counters and of signals that nobody had reported', () => {
    const after = changed('events+60');
    expect(growth(after, 'lost_total', {})).toEqual([0, 10]);
    expect(growth(after, 'complaints', {})).toEqual([0, 10]);
  });

  it('value×10 and value=3, also of what an expression gives', () => {
    expect(valueAfter(changed('value×10'), 'lag_seconds')).toBe(40);
    expect(valueAfter(changed('value×10'), 'sum(lag_seconds)')).toBe(40);
    expect(valueAfter(changed('value=3'), 'lag_seconds')).toBe(3);
  });

  it('requests×2, which no split should have', () => {
    const after = changed('requests×2');
    expect(growth(after, 'requests_total', { version: 'new', status: 'ok' })).toEqual([99, 198]);
  });

  it('alert, drop and stop-scrape', () => {
    const alerts = changed('alert').series.filter(({ name }) => name === 'ALERTS');
    expect(alerts).toMatchObject([
      { labels: { alertname: 'TooSlow', alertstate: 'firing', team: 'shop' } },
    ]);
    const staleAtEnd = (text: string) =>
      changed(text).series.filter((each) => columnsOf(each).stale.at(-1) === 1).length;
    expect(staleAtEnd('drop:requests_total{version="new",status="ok"}')).toBe(1);
    expect(staleAtEnd('drop:requests_total')).toBe(3);
    expect(staleAtEnd('stop-scrape')).toBe(recording.series.length);
  });
});

it('brings nothing to life whose name was never recorded', () => {
  const misspelt = { ...PLAN.metrics['lost'], count: { metric: 'lots_total', where: {} } };
  const plan = { ...PLAN, metrics: { ...PLAN.metrics, lost: misspelt } } as typeof PLAN;
  const after = inject(recording, plan, { kind: 'events', perMinute: 60 }, FROM);
  expect(after.series.some(({ name }) => name === 'lots_total')).toBe(false);
});

it('is read as it is written, and there is a standard one for every kind of guard', () => {
  const texts = standardChanges(PLAN).map(changeText).join(' ');
  expect(texts).toBe(
    'errors×2 errors+2% errors+50% +100ms +500ms +5s events+120 value=60 value=1 alert requests×2 stop-scrape',
  );
  for (const change of standardChanges(PLAN))
    expect(readInjection(`${changeText(change)}@canary`, PLAN)).toMatchObject({ change });
});
