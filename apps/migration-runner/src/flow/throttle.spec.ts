import { describe, expect, it } from '@jest/globals';
import { criticalLoad, type Facts, throttleOf, unknownLimit } from './throttle.ts';

const NOON = Date.parse('2026-11-28T12:00:00Z');
const health = { load: 3, replicationLagMs: 200, detail: ['a primary with one replica'] };
const flow = {
  maxLagMs: 5_000,
  maxLoad: 10,
  criticalLoad: 50,
  window: { from: '09:00', to: '17:00', timeZone: 'UTC' },
};
const well: Facts = { at: NOON, health };
const because = (facts: Partial<Facts>) => throttleOf(flow, { ...well, ...facts })?.because;

describe('a run', () => {
  it('goes on while nothing is in its way', () => {
    expect(throttleOf(flow, well)).toBeUndefined();
    expect(throttleOf({}, { at: NOON })).toBeUndefined();
  });

  it('waits for replicas that are behind, and says how far', () => {
    expect(throttleOf(flow, { at: NOON, health: { ...health, replicationLagMs: 12_000 } })).toEqual(
      {
        because: 'replication-lag',
        message: 'A replica is 12s behind; at most 5s are allowed.',
        lookAgainInMs: 1_000,
      },
    );
  });

  it('waits for a server that is busy', () => {
    expect(because({ health: { ...health, load: 10 } })).toBeUndefined();
    expect(because({ health: { ...health, load: 11 } })).toBe('server-load');
  });

  it('waits also at the load that fails others, where nothing less is said', () => {
    const found = throttleOf({ criticalLoad: 5 }, { at: NOON, health: { ...health, load: 6 } });
    expect(found?.because).toBe('server-load');
  });

  it('waits while a server no longer tells what a limit is on', () => {
    expect(because({ health: { load: 1, detail: ['the replica is gone'] } })).toBe(
      'replication-lag',
    );
    expect(because({ health: { replicationLagMs: 1, detail: [] } })).toBe('server-load');
  });

  it('waits for its window, until it opens', () => {
    const evening = Date.parse('2026-11-28T17:30:00Z');
    expect(throttleOf(flow, { at: evening })).toEqual({
      because: 'window',
      message: 'Only from 09:00 to 17:00: it goes on at 2026-11-29 09:00 UTC.',
      lookAgainInMs: 15.5 * 3_600_000,
    });
  });

  it('shows one reason, in this order', () => {
    const all: Partial<Facts> = {
      at: Date.parse('2026-11-28T20:00:00Z'),
      guard: 'Rollout r-42 is held.',
      held: { because: 'backup-full', message: 'full', lookAgainInMs: 5_000 },
      health: { load: 11, replicationLagMs: 9_000, detail: [] },
      probe: 'It answered 503.',
      slow: { until: NOON + 24 * 3_600_000, message: 'slow' },
    };
    const cures: Partial<Facts>[] = [
      { at: NOON },
      { guard: undefined },
      { held: undefined },
      { health: { ...health, load: 11 } },
      { health },
      { probe: undefined },
      { slow: undefined },
    ];
    const seen = [0, ...cures.keys()].map((_, cured) =>
      because(Object.assign({}, all, ...cures.slice(0, cured)) as Partial<Facts>),
    );
    expect(seen).toEqual([
      'window',
      'guard',
      'backup-full',
      'replication-lag',
      'server-load',
      'probe',
      'own-latency',
      undefined,
    ]);
  });

  it('rests from its own latency only until then', () => {
    const slow = { until: NOON + 2_000, message: 'slow' };
    expect(throttleOf(flow, { ...well, slow })).toMatchObject({
      because: 'own-latency',
      lookAgainInMs: 2_000,
    });
    expect(because({ slow: { until: NOON, message: 'slow' } })).toBeUndefined();
  });
});

it('is critical above its limit only', () => {
  expect(criticalLoad(flow, { ...health, load: 50 })).toBeUndefined();
  expect(criticalLoad({}, { ...health, load: 1e6 })).toBeUndefined();
  expect(criticalLoad(flow, { ...health, load: 51 })).toBe(
    "The server's load is 51; above 50 the run is to fail.",
  );
});

it('names the limit on what a server does not tell', () => {
  const file = { detail: ['one file: nothing is replicated, and nothing queues'] };
  expect(unknownLimit({}, file)).toBeUndefined();
  expect(unknownLimit(flow, health)).toBeUndefined();
  expect(unknownLimit({ maxLagMs: 1 }, file)).toBe(
    'flow.maxLagMs cannot be kept: the server does not tell how far its replicas are behind ' +
      '(one file: nothing is replicated, and nothing queues); leave it out.',
  );
  expect(unknownLimit({ criticalLoad: 1 }, file)).toMatch(/^flow.criticalLoad cannot be kept/);
});
