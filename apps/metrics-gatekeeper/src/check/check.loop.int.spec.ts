import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Alarm, CheckLoop } from './check.loop.ts';
import { BATCH, type Checks } from './checks.handler.ts';

const clock = { now: () => Date.now() };

describe('an alarm', () => {
  beforeEach(() => {
    jest.useFakeTimers({ now: 1_000_000 });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('rings at each of its times, the earliest first, whatever the order in which they are set', () => {
    const begun = clock.now();
    const rung: number[] = [];
    const alarm = new Alarm(clock, () => {
      rung.push(clock.now() - begun);
    });
    for (const after of [60, 20, 40, 20]) alarm.set(begun + after);
    jest.advanceTimersByTime(1_000);
    expect(rung).toEqual([20, 40, 60]);
  });

  it('rings once for all times that are past when it comes to ring late', () => {
    const begun = clock.now();
    let rung = 0;
    const alarm = new Alarm(clock, () => {
      rung += 1;
    });
    for (const after of [20, 40]) alarm.set(begun + after);
    jest.setSystemTime(begun + 100);
    jest.advanceTimersByTime(1_000);
    expect(rung).toBe(1);
  });

  it('does not ring a millisecond early, when a timer goes off before its time', () => {
    const begun = clock.now();
    const rung: number[] = [];
    const alarm = new Alarm(clock, () => {
      rung.push(clock.now() - begun);
    });
    alarm.set(begun + 20);
    jest.setSystemTime(begun - 1);
    jest.advanceTimersByTime(1_000);
    expect(rung).toEqual([20]);
  });

  it('rings at once for a time that is past', () => {
    let rung = 0;
    const alarm = new Alarm(clock, () => {
      rung += 1;
    });
    alarm.set(clock.now() - 1_000);
    jest.advanceTimersByTime(1);
    expect(rung).toBe(1);
  });

  it('is silent once it is stopped', () => {
    let rung = 0;
    const alarm = new Alarm(clock, () => {
      rung += 1;
    });
    alarm.set(clock.now() + 10);
    alarm.stop();
    alarm.set(clock.now());
    jest.advanceTimersByTime(1_000);
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
