import { afterEach, describe, expect, it } from '@jest/globals';
import { type Logger, pino } from 'pino';
import { Registry } from 'prom-client';
import { eventually } from '@tidegate/kernel/testing';
import { createMetrics } from '../metrics/metrics.ts';
import { ControlLoop } from './control-loop.loop.ts';

const loops: ControlLoop[] = [];
afterEach(async () => {
  await Promise.all(loops.splice(0).map((loop) => loop.stop()));
});

function loopOf(run: () => Promise<void>, everyMs = 60_000) {
  const lines: { level: number; msg: string }[] = [];
  const log: Logger = pino(
    { level: 'info' },
    { write: (line) => void lines.push(JSON.parse(line) as (typeof lines)[number]) },
  );
  const metrics = createMetrics(new Registry());
  const loop = new ControlLoop({ name: 'due', everyMs, run, log, metrics });
  loops.push(loop);
  const runs = async (outcome: string): Promise<number> =>
    (await metrics.loopRuns.get()).values.find(({ labels }) => labels.outcome === outcome)?.value ??
    0;
  return { loop, lines, runs };
}

describe('a control loop', () => {
  it('runs when it starts, and again when it is woken, not before it starts', async () => {
    let count = 0;
    const { loop } = loopOf(async () => void (count += 1));
    loop.wake();
    expect(count).toBe(0);
    loop.start();
    await eventually(() => count === 1);
    loop.wake();
    await eventually(() => count === 2);
  });

  it('never runs twice at once: woken while it runs, it runs once more', async () => {
    const gates: (() => void)[] = [];
    let atOnce = 0;
    let most = 0;
    const { loop } = loopOf(async () => {
      most = Math.max(most, (atOnce += 1));
      await new Promise<void>((resolve) => gates.push(resolve));
      atOnce -= 1;
    });
    loop.start();
    for (let wakes = 0; wakes < 5; wakes += 1) loop.wake();
    gates[0]?.();
    await eventually(() => gates.length === 2);
    gates[1]?.();
    await eventually(() => atOnce === 0);
    expect({ most, runs: gates.length }).toEqual({ most: 1, runs: 2 });
  });

  it('goes on after a failure, which it counts each time and logs once', async () => {
    let broken = true;
    const { loop, lines, runs } = loopOf(async () => {
      if (broken) throw new Error('the store is away');
    }, 1);
    loop.start();
    await eventually(async () => (await runs('failed')) >= 3);
    broken = false;
    await eventually(async () => (await runs('succeeded')) >= 2);
    expect(lines.map(({ msg }) => msg)).toEqual([
      'a control loop failed and will be tried again',
      'a control loop works again',
    ]);
  });

  it('stops when the run under way has ended, and is not woken any more', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let count = 0;
    const { loop } = loopOf(async () => {
      count += 1;
      await promise;
    }, 1);
    loop.start();
    let stopped = false;
    const stopping = loop.stop().then(() => {
      stopped = true;
    });
    await new Promise(setImmediate);
    expect(stopped).toBe(false);
    loop.wake();
    resolve();
    await stopping;
    loop.wake();
    await new Promise(setImmediate);
    expect(count).toBe(1);
  });
});
