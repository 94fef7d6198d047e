import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Allowance, WINDOW_MS } from './allowance.ts';

const moments = fc
  .array(fc.integer({ min: 0, max: WINDOW_MS / 2 }), { maxLength: 60 })
  .map((steps) =>
    steps.map(
      (
        (at) => (step: number) =>
          (at += step)
      )(0),
    ),
  );

describe('an allowance', () => {
  it('gives its limit in a window, which begins with the first request, and the same in the next', () => {
    const allowance = new Allowance('key:ada');
    const taken = (count: number, now: number) =>
      Array.from({ length: count }, () => allowance.take(3, now)).filter(Boolean).length;
    expect(taken(5, 1_000)).toBe(3);
    expect(allowance.remaining(3)).toBe(0);
    expect(allowance.endsInMs(31_000)).toBe(30_000);
    expect(taken(5, 60_999)).toBe(0);
    expect(taken(5, 61_000)).toBe(3);
  });

  it('never gives more than its limit between the first request of a window and the end of it', () => {
    fc.assert(
      fc.property(moments, fc.integer({ min: 1, max: 5 }), (times, limit) => {
        const allowance = new Allowance('key:ada');
        const given = times.filter((now) => allowance.take(limit, now));
        const windows = new Map<number, number>();
        let begun = Number.NEGATIVE_INFINITY;
        for (const now of given) {
          if (now >= begun + WINDOW_MS) begun = now;
          windows.set(begun, (windows.get(begun) ?? 0) + 1);
        }
        return [...windows.values()].every((count) => count <= limit);
      }),
    );
  });

  it('of two processes gives the limit of one, once each knows of the other', () => {
    const step = fc.record({ process: fc.nat(1), settles: fc.boolean() });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.integer({ min: 1, max: 20 }),
        (steps, limit) => {
          const processes = [new Allowance('key:ada'), new Allowance('key:ada')] as const;
          const unsettled = [0, 0];
          let [total, given, unknown] = [0, 0, 0];
          for (const { process, settles } of steps) {
            const allowance = processes[process === 0 ? 0 : 1];
            if (allowance.take(limit, 0)) {
              given += 1;
              unsettled[process] = (unsettled[process] ?? 0) + 1;
            }
            if (!settles) continue;
            total += allowance.send();
            allowance.settle({ total, endsInMs: WINDOW_MS }, 0);
            unsettled[process] = 0;
          }
          for (const allowance of processes) {
            unknown += allowance.send();
            allowance.settle({ total: total + unknown, endsInMs: WINDOW_MS }, 0);
          }
          expect(total + unknown).toBe(given);
          // What is over the limit was given before its process had heard of the rest.
          if (total + unknown >= limit)
            expect(processes.map((allowance) => allowance.take(limit, 0))).toContain(false);
        },
      ),
    );
  });

  it('keeps what did not arrive, and sends it again', () => {
    const allowance = new Allowance('key:ada');
    allowance.take(3, 0);
    allowance.take(3, 0);
    expect(allowance.send()).toBe(2);
    expect(allowance.remaining(3)).toBe(1);
    allowance.take(3, 1);
    allowance.unsent();
    expect(allowance.take(3, 2)).toBe(false);
    expect(allowance.send()).toBe(3);
  });

  it('forgets what did not arrive before its window ended', () => {
    const allowance = new Allowance('key:ada');
    allowance.take(3, 0);
    allowance.send();
    allowance.take(3, WINDOW_MS);
    allowance.unsent();
    expect(allowance.send()).toBe(1);
  });

  it('ends when the shared window ends, also if that is sooner than it thought', () => {
    const allowance = new Allowance('key:ada');
    allowance.take(3, 0);
    allowance.send();
    allowance.settle({ total: 3, endsInMs: 500 }, 100);
    expect(allowance.take(3, 599)).toBe(false);
    expect(allowance.take(3, 600)).toBe(true);
  });
});
