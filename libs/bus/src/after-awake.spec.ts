import { expect, it } from '@jest/globals';
import { afterAwake } from './after-awake.ts';

/** Fires what is due, as a process does that may have been suspended: each timer at most once for each call. */
function timers() {
  let now = 0;
  const due = new Map<() => void, number>();
  const after = (ms: number, run: () => void) => {
    due.set(run, now + ms);
    return () => void due.delete(run);
  };
  const pass = (ms: number): void => {
    now += ms;
    for (const [run, at] of due) {
      if (at > now) continue;
      due.delete(run);
      run();
      break;
    }
  };
  return { timer: { after }, pass };
}

it('runs after its time, and not before', () => {
  const { timer, pass } = timers();
  let ran = 0;
  afterAwake(timer, 1_000, () => (ran += 1));
  for (let n = 0; n < 9; n += 1) pass(100);
  expect(ran).toBe(0);
  pass(100);
  expect(ran).toBe(1);
});

it('does not run at once in a process that was suspended for longer, and not when it is cancelled', () => {
  const { timer, pass } = timers();
  let ran = 0;
  const cancel = afterAwake(timer, 1_000, () => (ran += 1));
  pass(45_000);
  expect(ran).toBe(0);
  cancel();
  for (let n = 0; n < 20; n += 1) pass(100);
  expect(ran).toBe(0);
});
