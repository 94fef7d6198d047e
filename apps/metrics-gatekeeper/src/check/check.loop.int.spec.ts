import { describe, expect, it } from '@jest/globals';
import { Alarm, CheckLoop } from './check.loop.ts';
import { BATCH, type Checks } from './checks.handler.ts';

const clock = { now: () => Date.now() };

describe('an alarm', () => {
  it('rings at each of its times, the earliest first, whatever the order in which they are set', async () => {
    const begun = clock.now();
    const rung: number[] = [];
    await new Promise<void>((resolve) => {
      const alarm = new Alarm(clock, () => {
        rung.push(clock.now() - begun);
        if (rung.length === 3) resolve();
      });
      for (const after of [60, 20, 40, 20]) alarm.set(begun + after);
    });
    for (const [index, expected] of [20, 40, 60].entries())
      expect(rung[index]).toBeGreaterThanOrEqual(expected);
  });

  it('rings at once for a time that is past', async () => {
    await new Promise<void>((resolve) => new Alarm(clock, resolve).set(clock.now() - 1_000));
  });

  it('is silent once it is stopped', async () => {
    let rung = 0;
    const alarm = new Alarm(clock, () => {
      rung += 1;
    });
    alarm.set(clock.now() + 10);
    alarm.stop();
    alarm.set(clock.now());
    await new Promise<void>((resolve) => new Alarm(clock, resolve).set(clock.now() + 40));
    expect(rung).toBe(0);
  });
});

it('a round takes everything that is due, batch by batch', async () => {
  const batches = [BATCH, BATCH, 3, BATCH];
  const loop = new CheckLoop({
    runDue: async () => Array.from({ length: batches.shift() ?? 0 }, () => Promise.resolve()),
  } as unknown as Checks);
  await loop.round();
  expect(batches).toEqual([BATCH]);
});

it('a round does not wait for its checks; settling does', async () => {
  let finish: () => void = () => undefined;
  const check = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const loop = new CheckLoop({ runDue: async () => [check] } as unknown as Checks);
  await loop.round();
  let settled = false;
  const waiting = loop.settled().then(() => {
    settled = true;
  });
  await new Promise(setImmediate);
  expect(settled).toBe(false);
  finish();
  await waiting;
});
