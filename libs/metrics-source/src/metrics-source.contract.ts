import { expect, it } from '@jest/globals';
import type { MetricsSource, Reading, Sample, TakenReading } from './metrics-source.port.ts';

/** What an adapter's spec provides. */
export interface SourceUnderTest {
  readonly source: MetricsSource;
  /** An instant later than all before, far enough that nothing is shared with earlier reads. */
  nextInstant(): number;
  /** Whether it can evaluate expressions and has alerting rules. */
  readonly evaluates: boolean;
  /** A new target that answers with this; what evaluates can evaluate ONE_PLUS_ONE and has RULE. */
  serve(answer: Served): Promise<string>;
  /** From now on the target answers with this. */
  change(target: string, answer: Served): Promise<void>;
}
export type Served =
  { readonly text: string } | { readonly failure: 'unreachable' | 'bad-status' | 'unparsable' };

/** An expression that what evaluates knows; it gives 2. */
export const ONE_PLUS_ONE = 'vector(1) + 1';
/** One that nothing can evaluate. */
export const NONSENSE = 'sum(';
/** An alerting rule that what evaluates has. */
export const RULE = 'CheckoutFails';

const CHECKOUT = `# HELP http_requests_total Requests by status.
# TYPE http_requests_total counter
http_requests_total{code="200",variant="new"} 1204
http_requests_total{code="500",variant="new"} 63
# HELP critical_errors_total Not one yet.
# TYPE critical_errors_total counter
# TYPE latency_seconds histogram
latency_seconds_bucket{le="0.5"} 11
latency_seconds_bucket{le="+Inf"} 12
latency_seconds_sum 3.5
latency_seconds_count 12
strange_total{say="\\"a\\\\b\\"\\n"} NaN
`;

const taken = (reading: Reading | undefined): TakenReading => {
  if (reading?.outcome !== 'taken') throw new Error(`not taken: ${JSON.stringify(reading)}`);
  return reading;
};

/** Sources have an order of their own. */
const bySeries = (samples: readonly Sample[]): Sample[] =>
  samples.toSorted((a, b) => (a.series < b.series ? -1 : 1));

/** What every source promises. */
export function metricsSourceContract(open: () => Promise<SourceUnderTest>): void {
  it('gives raw counters with name, labels, value and instant', async () => {
    const { source, nextInstant, serve } = await open();
    const target = await serve({ text: CHECKOUT });
    const at = nextInstant();
    const readings = await source.read([{ target, metrics: ['http_requests_total'] }], at);
    expect(readings).toHaveLength(1);
    const reading = taken(readings[0]);
    expect(reading).toMatchObject({ target, declared: ['http_requests_total'] });
    expect(bySeries(reading.samples)).toEqual([
      {
        name: 'http_requests_total',
        labels: { code: '200', variant: 'new' },
        series: 'http_requests_total{code="200",variant="new"}',
        value: 1204,
        at: reading.at,
      },
      {
        name: 'http_requests_total',
        labels: { code: '500', variant: 'new' },
        series: 'http_requests_total{code="500",variant="new"}',
        value: 63,
        at: reading.at,
      },
    ]);
  });

  it('gives only what was asked for, also the buckets of a histogram', async () => {
    const { source, nextInstant, serve } = await open();
    const target = await serve({ text: CHECKOUT });
    const [reading] = await source.read(
      [{ target, metrics: ['latency_seconds_bucket', 'latency_seconds_count'] }],
      nextInstant(),
    );
    expect(bySeries(taken(reading).samples).map(({ series, value }) => [series, value])).toEqual([
      ['latency_seconds_bucket{le="+Inf"}', 12],
      ['latency_seconds_bucket{le="0.5"}', 11],
      ['latency_seconds_count{}', 12],
    ]);
  });

  it('tells a metric that has no series yet from one that the target does not know', async () => {
    const { source, nextInstant, serve } = await open();
    const target = await serve({ text: CHECKOUT });
    const [reading] = await source.read(
      [{ target, metrics: ['critical_errors_total', 'misspelt_total'] }],
      nextInstant(),
    );
    expect(taken(reading)).toMatchObject({ samples: [], declared: ['critical_errors_total'] });
  });

  it('passes on what is not a number and what was escaped, as it is', async () => {
    const { source, nextInstant, serve } = await open();
    const target = await serve({ text: CHECKOUT });
    const [reading] = await source.read([{ target, metrics: ['strange_total'] }], nextInstant());
    expect(taken(reading).samples).toMatchObject([
      { labels: { say: '"a\\b"\n' }, value: Number.NaN },
    ]);
  });

  it('passes on values as they are: infinite, and less than before after a restart', async () => {
    const { source, nextInstant, serve, change } = await open();
    const target = await serve({ text: 'a_total 700\nb{x="1"} +Inf\nb{x="2"} -Inf\n' });
    const request = [{ target, metrics: ['a_total', 'b'] }];
    const [before] = await source.read(request, nextInstant());
    expect(bySeries(taken(before).samples).map(({ value }) => value)).toEqual([
      700,
      Infinity,
      -Infinity,
    ]);
    await change(target, { text: 'a_total 3\n' });
    const [after] = await source.read(request, nextInstant());
    expect(taken(after).samples).toMatchObject([{ name: 'a_total', value: 3 }]);
  });

  it('gives a series that is new, and none for one that has vanished', async () => {
    const { source, nextInstant, serve, change } = await open();
    const target = await serve({ text: 'a_total{pod="1"} 5\na_total{pod="2"} 6\n' });
    const request = [{ target, metrics: ['a_total'] }];
    await source.read(request, nextInstant());
    await change(target, { text: 'a_total{pod="2"} 7\na_total{pod="3"} 1\n' });
    const [reading] = await source.read(request, nextInstant());
    expect(bySeries(taken(reading).samples)).toMatchObject([
      { labels: { pod: '2' }, value: 7 },
      { labels: { pod: '3' }, value: 1 },
    ]);
  });

  it('gives a sample the time that its exporter says', async () => {
    const { source, nextInstant, serve } = await open();
    const said = nextInstant() - 500;
    const target = await serve({ text: `told_total 5 ${said}\nnow_total 1\n` });
    const [reading] = await source.read(
      [{ target, metrics: ['told_total', 'now_total'] }],
      nextInstant(),
    );
    const { samples, at } = taken(reading);
    expect(samples.map((sample) => sample.at)).toEqual([said, at]);
  });

  it('gives the edges of buckets as they are written', async () => {
    const { source, nextInstant, serve } = await open();
    const buckets = ['0.50', '1e+06', '+Inf'].map((le) => `h_bucket{le="${le}"} 1\n`);
    const target = await serve({ text: buckets.join('') });
    const [reading] = await source.read([{ target, metrics: ['h_bucket'] }], nextInstant());
    expect(new Set(taken(reading).samples.map(({ labels }) => labels['le']))).toEqual(
      new Set(['0.50', '1e+06', '+Inf']),
    );
  });

  it('asks each target once and answers in the order in which they first stand', async () => {
    const { source, nextInstant, serve } = await open();
    const first = await serve({ text: 'a_total 1\nb_total 2\n' });
    const second = await serve({ text: 'a_total 3\n' });
    const readings = await source.read(
      [
        { target: second, metrics: ['a_total'] },
        { target: first, metrics: ['a_total'] },
        { target: first, metrics: ['b_total'] },
      ],
      nextInstant(),
    );
    expect(readings.map(({ target }) => target)).toEqual([second, first]);
    expect(taken(readings[1]).samples.map(({ value }) => value)).toEqual([1, 2]);
  });

  it('reads new values at a later instant, and says that it is later', async () => {
    const { source, nextInstant, serve, change } = await open();
    const target = await serve({ text: 'a_total 1\n' });
    const request = [{ target, metrics: ['a_total'] }];
    const [before] = await source.read(request, nextInstant());
    await change(target, { text: 'a_total 5\n' });
    const [after] = await source.read(request, nextInstant());
    expect(taken(before).samples).toMatchObject([{ value: 1 }]);
    expect(taken(after).samples).toMatchObject([{ value: 5 }]);
    expect(taken(after).at).toBeGreaterThan(taken(before).at);
  });

  it.each(['unreachable', 'bad-status', 'unparsable'] as const)(
    'says of a target that is %s what is wrong with it, and reads the others',
    async (failure) => {
      const { source, nextInstant, serve } = await open();
      const broken = await serve({ failure });
      const healthy = await serve({ text: 'a_total 1\n' });
      const readings = await source.read(
        [broken, healthy].map((target) => ({ target, metrics: ['a_total'] })),
        nextInstant(),
      );
      expect(readings).toMatchObject([
        { outcome: 'failed', target: broken, failure, message: expect.stringContaining(broken) },
        { outcome: 'taken', target: healthy },
      ]);
    },
  );

  it('reads a target again once it has recovered', async () => {
    const { source, nextInstant, serve, change } = await open();
    const target = await serve({ failure: 'bad-status' });
    const request = [{ target, metrics: ['a_total'] }];
    expect(await source.read(request, nextInstant())).toMatchObject([{ outcome: 'failed' }]);
    await change(target, { text: 'a_total 1\n' });
    expect(await source.read(request, nextInstant())).toMatchObject([{ outcome: 'taken' }]);
  });

  it('refuses more series than can be kept, in words that help, and gives what labels choose', async () => {
    const { source, nextInstant, serve } = await open();
    const series = Array.from({ length: 5_001 }, (_, user) => `a_total{user="${user}"} 1\n`);
    const target = await serve({ text: `${series.join('')}b_total 7\n` });
    const at = nextInstant();
    const whole = { target, metrics: ['a_total'] };
    expect(await source.read([whole], at)).toMatchObject([
      {
        failure: 'too-large',
        message: expect.stringMatching(
          /5001 series of .*a_total.*at most 5000 .*: name more labels/,
        ),
      },
    ]);
    const [both] = await source.read([{ target, metrics: ['a_total', 'b_total'] }], at);
    expect(both).toMatchObject({
      samples: [{ value: 7 }],
      declared: ['b_total'],
      unread: [{ selector: { metric: 'a_total', where: {} }, failure: 'too-large' }],
    });
    const chosen = { ...whole, selectors: [{ metric: 'a_total', where: { user: ['7', '8'] } }] };
    const [reading] = await source.read([chosen], at);
    expect(taken(reading).samples.map(({ value }) => value)).toEqual([1, 1]);
  });

  it('answers each expression by itself, and the rest of the reading whatever becomes of them', async () => {
    const { source, nextInstant, serve, evaluates } = await open();
    const target = await serve({ text: 'a_total 1\n' });
    const at = nextInstant();
    const queries = [ONE_PLUS_ONE, NONSENSE];
    const readings = await source.read(
      [
        { target, metrics: ['a_total'], queries: [ONE_PLUS_ONE] },
        { target, metrics: [], queries },
      ],
      at,
    );
    const { samples, answers } = taken(readings[0]);
    expect(samples).toMatchObject([{ value: 1 }]);
    const refused = { failure: 'query-failed', message: expect.stringContaining(target) };
    expect(answers).toEqual({
      [ONE_PLUS_ONE]: evaluates ? { points: [{ labels: {}, value: 2, at }] } : refused,
      [NONSENSE]: refused,
    });
  });

  it('names the alerting rules that it has, of those asked for', async () => {
    const { source, nextInstant, serve, evaluates } = await open();
    const target = await serve({ text: 'a_total 1\n' });
    const request = { target, metrics: ['a_total'], rules: [RULE, 'NobodyWroteThis'] };
    const [reading] = await source.read([request], nextInstant());
    expect(taken(reading).rules).toEqual(evaluates ? [RULE] : []);
  });

  it('says nothing of expressions and rules where none are asked for', async () => {
    const { source, nextInstant, serve } = await open();
    const target = await serve({ text: 'a_total 1\n' });
    const [reading] = await source.read([{ target, metrics: ['a_total'] }], nextInstant());
    for (const field of ['answers', 'rules', 'ruleFailures', 'lacks', 'lacking', 'unread'])
      expect(reading).not.toHaveProperty(field);
  });

  it('fails as a whole where the target cannot be read, whatever was asked', async () => {
    const { source, nextInstant, serve } = await open();
    const target = await serve({ failure: 'unreachable' });
    for (const request of [
      { target, metrics: [], queries: [ONE_PLUS_ONE] },
      { target, metrics: ['a_total'], queries: [ONE_PLUS_ONE], rules: [RULE] },
    ])
      expect(await source.read([request], nextInstant())).toMatchObject([
        { outcome: 'failed', target, failure: 'unreachable' },
      ]);
  });

  it('reads nothing if nothing is asked for', async () => {
    const { source, nextInstant } = await open();
    expect(await source.read([], nextInstant())).toEqual([]);
  });
}
