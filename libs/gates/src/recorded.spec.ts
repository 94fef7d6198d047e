import { describe, expect, it } from '@jest/globals';
import { type RecordedAnswer, recordedSource } from '@tidegate/metrics-source/testing';
import { isStillToCome, recordedReadsOf, recordingOf, withRecording } from './recorded.ts';
import { judgeRecovery } from './recovery.ts';
import { START, Watching } from './watching.memory.ts';

const P = 'prometheus';
const HOUR = 3_600_000;
const fields = (metric: object = {}) => ({
  metrics: {
    slow: {
      type: 'latency',
      source: { prometheus: {} },
      histogram: { metric: 'latency_seconds' },
      over: '500ms',
      canary: { where: { version: 'new' } },
      baseline: { recorded: { ago: '7d', for: '1h' } },
      ...metric,
    },
  },
  guards: [{ name: 'g', judge: 'sequential', metric: 'slow', limit: '5%', margin: '10%' }],
});
/** An observation every second, every tenth of them slow; what the canary had is a part of it. */
const histogram = (at: number): string => {
  const seconds = Math.floor((at - START) / 1_000) + 8 * 86_400;
  return [
    `latency_seconds_bucket{version="old",le="0.5"} ${seconds - Math.floor(seconds / 10)}`,
    `latency_seconds_bucket{version="old",le="+Inf"} ${seconds}`,
    `latency_seconds_bucket{version="new",le="0.5"} 0`,
    `latency_seconds_bucket{version="new",le="+Inf"} 0`,
    '',
  ].join('\n');
};

/** Reads what has to be read of the past, as a check does. */
async function record(watching: Watching, answer: RecordedAnswer, at = watching.at) {
  const source = recordedSource();
  source.record(P, 0, answer);
  const reads = recordedReadsOf(watching.plan, watching.evidence, START, at);
  for (const read of reads) {
    const past = await Promise.all(read.instants.map((each) => source.read(read.requests, each)));
    const recording = recordingOf(watching.plan, read, past);
    watching.evidence = withRecording(watching.plan, watching.evidence, recording, at);
  }
  return reads;
}

describe('what was recorded before the rollout', () => {
  it('is counted between instants of that time, for everybody, and kept', async () => {
    const watching = new Watching(fields());
    const [read] = await record(watching, histogram);
    expect(read?.instants).toHaveLength(49);
    expect(read?.instants[0]).toBe(START - 7 * 24 * HOUR - HOUR);
    expect(read?.instants.at(-1)).toBe(START - 7 * 24 * HOUR);
    expect(watching.facts('g').recorded).toEqual({ bad: 360, total: 3_600 });
    expect(await record(watching, 'unreachable')).toEqual([]);
    watching.enter('all');
    expect(watching.facts('g').recorded).toEqual({ bad: 360, total: 3_600 });
  });

  it('is what the metrics must come back to after a rollback', async () => {
    const watching = new Watching(fields());
    await record(watching, histogram);
    watching.enter('(recovery)', { overall: true });
    expect(watching.facts('g').recorded).toEqual({ bad: 360, total: 3_600 });
    const judged = () => judgeRecovery(watching.plan, watching.evidence, watching.at).outcome;
    const shown = (slow: number, all: number) => {
      const bucket = (le: string, n: number) => `latency_seconds_bucket{le="${le}"} ${n}\n`;
      return { [P]: bucket('0.5', all - slow) + bucket('+Inf', all) };
    };
    await watching.check(5, shown(0, 0));
    await watching.check(10, shown(600, 2_000));
    expect(judged()).toBe('persisting');
    watching.enter('(recovery)', { overall: true });
    await watching.check(15, shown(640, 6_000));
    expect(judged()).toBe('recovered');
  });

  it('is not known where nothing had the name of what is bad: that is no rate of zero', async () => {
    const { guards, metrics } = fields();
    const { source, baseline } = metrics.slow;
    const named = { bad: { metric: 'bad_total' }, total: { metric: 'all_total' } };
    const slow = { type: 'ratio', source, baseline, ...named };
    const watching = new Watching({ guards, metrics: { slow } });
    const all = (at: number) => `all_total ${Math.floor((at - START) / 1_000) + 8 * 86_400}\n`;
    await record(watching, all);
    expect(watching.evidence.guards['g']?.recorded).toMatchObject({
      kind: 'empty',
      detail: expect.stringContaining('had a metric bad_total'),
    });
    watching.at += 60_000;
    await record(watching, (at) => `${all(at)}bad_total 0\n`);
    expect(watching.facts('g').recorded).toEqual({ bad: 0, total: 3_600 });
  });

  it('is missing data until it is known, and no reason to pass', async () => {
    const watching = new Watching(fields());
    await watching.check(5, { [P]: histogram });
    expect(watching.facts('g')).toMatchObject({ recorded: null, missing: { kind: 'empty' } });
    expect(watching.evidence.lastSuccessAt).toBe(null);
    await record(watching, histogram);
    await watching.check(10, { [P]: histogram });
    expect(watching.facts('g')).toMatchObject({ recorded: { bad: 360 }, missing: null });
    expect(watching.evidence.lastSuccessAt).toBe(START + 10_000);
  });

  it('does not come with the first requests of the new code, as its series do', async () => {
    const watching = new Watching(fields(), '');
    const known = () => {
      const evidence = watching.evidence.guards['g'];
      return evidence && [evidence.missing?.detail, isStillToCome(evidence)];
    };
    await watching.check(5, { [P]: '' });
    expect(known()).toEqual([expect.stringMatching(/^what was recorded/), false]);
    await record(watching, '');
    await watching.check(10, { [P]: '' });
    expect(known()).toEqual([expect.stringMatching(/^nothing of /), false]);
    await record(watching, histogram, START + 60_000);
    await watching.check(60, { [P]: '' });
    expect(known()).toEqual([expect.stringMatching(/^no target has a series of /), true]);
  });

  it('is asked for again at the next check where it could not be read, and says why', async () => {
    const watching = new Watching(fields());
    await record(watching, 'timeout', START);
    await watching.check(5, { [P]: histogram });
    expect(watching.facts('g').missing).toMatchObject({ kind: 'query-error' });
    expect(await record(watching, histogram, START + 5_000)).toHaveLength(1);
    await watching.check(10, { [P]: histogram });
    expect(watching.missing('g')).toBe(null);
  });

  it('is looked for again after half a minute where there was nothing', async () => {
    const watching = new Watching(fields());
    await record(watching, '', START);
    expect(await record(watching, histogram, START + 29_000)).toHaveLength(0);
    expect(await record(watching, histogram, START + 30_000)).toHaveLength(1);
    expect(watching.facts('g').recorded).toMatchObject({ total: 3_600 });
  });

  it('of a first release without a baseline is nothing, and does not pass for good', async () => {
    const watching = new Watching(fields());
    await record(watching, '');
    await watching.check(5, { [P]: histogram });
    expect(watching.facts('g').missing).toEqual({
      kind: 'empty',
      targets: 1,
      detail: expect.stringMatching(
        /^nothing of latency_seconds was recorded between 2026-.*Z and 2026-.*Z\.$/,
      ),
    });
  });

  it('is read as often as it is scraped, where that is less often', async () => {
    const baseline = { recorded: { for: '5m' } };
    const source = { prometheus: { scrapeInterval: '1m' } };
    const [read] = await record(new Watching(fields({ baseline, source })), histogram);
    expect(read?.instants.map((at) => (at - START) / 60_000)).toEqual([-5, -4, -3, -2, -1, 0]);
  });
});
