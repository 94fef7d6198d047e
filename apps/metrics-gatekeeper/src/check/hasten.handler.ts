import type { Plan } from '@tidegate/contracts';
import { type Clock, isAppError } from '@tidegate/kernel';
import type { Documents } from '@tidegate/store';
import type { Existing, Rollout } from '../rollout/state.ts';
import type { StoredCheck } from './stored-check.ts';

/** Signals make no check come sooner after the last one than this. */
const SHORTEST_MS = 200;
const PAGE = 200;

interface Deps {
  readonly documents: Documents<StoredCheck>;
  readonly rollouts: Documents<Rollout>;
  readonly clock: Clock;
  readonly onDue: (at: number) => void;
}

/** Makes the checks of the environment's rollouts that are judged by signals due now; safe to repeat. */
export async function hastenChecks(deps: Deps, environment: string): Promise<void> {
  for (let after: string | undefined; ;) {
    const where = { environment, watched: true };
    const page = await deps.rollouts.list({ where, after, limit: PAGE });
    for (const { id, state } of page) if (isSignalled(state)) await hasten(deps, id, state);
    after = page.at(-1)?.id;
    if (page.length < PAGE) return;
  }
}

const isSignalled = (state: Rollout): state is Existing =>
  state.status !== 'absent' && readsSignals(state.plan);

const readsSignals = ({ guards, metrics }: Plan): boolean =>
  guards.some(({ metric }) => metrics[metric]?.type === 'signal');

async function hasten(deps: Deps, id: string, rollout: Existing): Promise<void> {
  const { documents, clock, onDue } = deps;
  const document = await documents.load(id);
  if (!document || document.state.nextCheckAt === null) return;
  const { lastCheckAt = -Infinity, nextCheckAt } = document.state;
  const now = clock.now();
  const soon = Math.max(now, lastCheckAt + Math.min(SHORTEST_MS, rollout.plan.checkEvery));
  // One that is due may be under way, and have read before the signal was there: it is due once more.
  if (nextCheckAt >= now && nextCheckAt <= soon) return;
  const change = { state: { ...document.state, nextCheckAt: soon }, version: document.version + 1 };
  try {
    await documents.save(id, { ...change, outbox: [] }, document.token);
  } catch (error) {
    if (!isAppError(error, 'STORE_VERSION_CONFLICT')) throw error;
    // A check was saved meanwhile: it may have read before the signal was there.
    return hasten(deps, id, rollout);
  }
  onDue(soon);
}
