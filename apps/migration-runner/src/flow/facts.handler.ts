import type { Clock } from '@tidegate/kernel';
import type { Work } from '../run/run.ts';
import type { Target } from '../target/target.port.ts';
import { flowFor } from './limits.ts';
import type { Pace } from './pace.ts';
import { asksHealth, type Facts, type Throttle } from './throttle.ts';

/** What a batch is begun for. */
export interface Asking {
  readonly work: Work;
  /** Left out while it is not open: then only what can be told without it is asked. */
  readonly target?: Pick<Target, 'health'>;
  /** Asked each time: another reason to wait, such as a full journal. */
  readonly held?: () => Promise<Throttle | undefined>;
}

export interface FactsDeps {
  readonly clock: Clock;
  /** Why it must not go on, in a sentence; undefined after 2xx. */
  readonly probe: (url: string) => Promise<string | undefined>;
  /** Why the rollout is held, in a sentence. */
  readonly heldBy: (rollout: string) => Promise<string | undefined>;
}

/** Answers are good for so long. */
export const FRESH_MS = 1_000;

/** Asks what the throttle is decided by, each no more than once a second. */
export function createFacts({ clock, ...ask }: FactsDeps) {
  const health = fresh(clock, (target: Pick<Target, 'health'>) => target.health());
  const probe = fresh(clock, ask.probe);
  const heldBy = fresh(clock, ask.heldBy);
  return async ({ work, target, held }: Asking, { slow }: Pace): Promise<Facts> => {
    const { rollout } = work;
    const flow = flowFor(work);
    return {
      at: clock.now(),
      guard: rollout && !isUndoing(work) ? await heldBy(rollout.id) : undefined,
      held: await held?.(),
      probe: flow.probe === undefined ? undefined : await probe(flow.probe),
      health: target && asksHealth(flow) ? await health(target) : undefined,
      slow,
    };
  };
}

/** What takes back must not wait for the evidence that made it necessary. */
export const isUndoing = ({ action, reverting }: Pick<Work, 'action' | 'reverting'>): boolean =>
  action === 'revert' || reverting !== undefined;

/** Always asked for the same. */
function fresh<A, T>(clock: Clock, ask: (of: A) => Promise<T>): (of: A) => Promise<T> {
  let last: { readonly at: number; readonly answer: T } | undefined;
  return async (of) => {
    const at = clock.now();
    // A clock that was set back counts as time that has passed.
    if (last === undefined || Math.abs(at - last.at) >= FRESH_MS)
      last = { at, answer: await ask(of) };
    return last.answer;
  };
}
