import { describe, expect, it } from '@jest/globals';
import type { Metric, Plan } from '@tidegate/contracts';
import type { Sample, TakenReading } from '@tidegate/metrics-source';
import { selectorsOf } from './selectors.ts';
import { START, Watching } from './watching.memory.ts';

const source = { prometheus: {} };
const job = (name: string) => ({ where: { job: name } });
const metrics = {
  errors: {
    type: 'ratio',
    source,
    bad: { metric: 'bad_total', ...job('shop') },
    total: { metric: 'all_total', ...job('shop') },
  },
  others: { type: 'rate', source, count: { metric: 'all_total', ...job('search') }, per: '1s' },
  slow: { type: 'latency', source, histogram: { metric: 'took' }, unit: 's', over: '500ms' },
  queue: { type: 'value', source, gauge: { metric: 'queue' }, of: 'max' },
};
const guards = [
  { name: 'errors', judge: 'sequential', metric: 'errors', limit: '1%' },
  { name: 'others', judge: 'sequential', metric: 'others', limit: 10, shadow: true },
  { name: 'slow', judge: 'sequential', metric: 'slow', limit: '1%', shadow: true },
  { name: 'queue', judge: 'immediate', metric: 'queue', above: 10, shadow: true },
];

const sample = (name: string, labels: Sample['labels'], value: number, at: number): Sample => ({
  name,
  labels,
  series: JSON.stringify([name, labels]),
  value,
  at,
});
const samplesAt = (n: number, at: number): Sample[] => [
  sample('all_total', { job: 'shop' }, 1_000 * n, at),
  sample('bad_total', { job: 'shop' }, n, at),
  sample('all_total', { job: 'search' }, 10 * n, at),
  sample('took_bucket', { le: '0.5' }, 9 * n, at),
  sample('took_bucket', { le: '+Inf' }, 10 * n, at),
  sample('queue', {}, n, at),
];

const selectorOf = (plan: Plan, metric: string) =>
  selectorsOf(plan.metrics[metric] as Metric, false)[0] ?? { metric, where: {} };

describe.each(Object.keys(metrics))('what is wrong with the series of %s alone', (culprit) => {
  const told = (extra: (plan: Plan) => Partial<TakenReading>) => {
    const watching = new Watching({ metrics, guards });
    for (const n of [1, 2, 3]) {
      const at = START + n * 5_000;
      const reading: TakenReading = {
        outcome: 'taken',
        target: 'prometheus',
        at,
        samples: samplesAt(n, at),
        declared: ['all_total', 'bad_total', 'took_bucket', 'queue'],
        ...(n === 2 ? extra(watching.plan) : {}),
      };
      watching.tell([reading], at);
      if (n === 2)
        expect(Object.keys(metrics).filter((each) => watching.missing(each) !== null)).toEqual([
          culprit,
        ]);
    }
    return watching;
  };

  it('is what that guard lacks, and no other one', () => {
    told((plan) => {
      const message = 'prometheus cannot scrape b:1 (shop).';
      return { lacks: message, lacking: [{ selector: selectorOf(plan, culprit), message }] };
    });
  });

  it('keeps that guard from counting, and is counted once it can be read again', () => {
    const watching = told((plan) => {
      const selector = selectorOf(plan, culprit);
      return { unread: [{ selector, failure: 'too-large', message: 'prometheus has too many.' }] };
    });
    expect(watching.missing(culprit)).toBeNull();
    expect(watching.counted('errors')).toEqual({ bad: 2, total: 2_000 });
  });
});

it('what a source lacks as a whole, every guard lacks', () => {
  const watching = new Watching({ metrics, guards });
  const reading: TakenReading = {
    outcome: 'taken',
    target: 'prometheus',
    at: START,
    samples: samplesAt(1, START),
    declared: ['all_total', 'bad_total'],
    lacks: 'a part is missing.',
  };
  watching.tell([reading], START);
  expect([watching.missing('errors'), watching.missing('queue')]).toEqual([
    'query-error',
    'query-error',
  ]);
});
