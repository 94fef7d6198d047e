import type { Existing } from '../../apps/metrics-gatekeeper/src/rollout/state.ts';
import type { People } from './people.ts';
import type { Sim } from './sim.ts';

const EVERY_MS = 15_000;
const PATIENCE = 8;

/** Somebody who is paid for it does what waits for a person; whoever tries in vain for too long rolls back. */
export function lookAfter(sim: Sim, people: People, rollouts: () => readonly Existing[]): void {
  const tries = new Map<string, number>();
  const look = () => {
    for (const rollout of rollouts()) {
      const act = actionFor(rollout);
      if (!act) continue;
      const count = (tries.get(rollout.id) ?? 0) + 1;
      tries.set(rollout.id, count);
      const isHopeless = rollout.flagDisabled || count > PATIENCE;
      sim.begin('care', isHopeless ? people.rollBack(rollout.id) : act(people, rollout.id));
    }
    sim.scheduler.after(people.life, EVERY_MS, look);
  };
  sim.scheduler.after(people.life, EVERY_MS, look);
}

type Act = (people: People, rollout: string) => Promise<void>;
const resume: Act = (people, rollout) => people.resume(rollout);

const promote: Act = (people, rollout) => people.promote(rollout);

/** By the reason that holds it; what only waits for time or data is left alone. */
const actions: Readonly<Record<string, Act>> = {
  'awaiting-approval': (people, rollout) => people.approve(rollout, 'review'),
  'exposure-would-shrink': promote,
  deadline: promote,
  'both-arms-bad': promote,
  'risk-level': promote,
  'flag-disabled': resume,
  'flag-not-held': resume,
  'reference-disabled': resume,
  'reference-not-held': resume,
  'exposure-refused': resume,
  'migration-refused': resume,
  'migration-cancelled': resume,
  'migration-paused': resume,
};

function actionFor(rollout: Existing): Act | undefined {
  if (rollout.status === 'paused') return resume;
  return rollout.status === 'holding' ? actions[rollout.hold.reason] : undefined;
}
