import { type Clock, isAppError } from '@tidegate/kernel';
import type { MetricsSource, Reading } from '@tidegate/metrics-source';
import type { Document, Documents, Outcome } from '@tidegate/store';
import { readsOf } from '@tidegate/gates';
import { look } from '../rollout/look.ts';
import type { Rollouts } from '../rollout/rollouts.handler.ts';
import { type Existing, isWatched, type Rollout } from '../rollout/state.ts';
import { arranged, checked, type StoredCheck } from './stored-check.ts';

/** How long a claimed check may take before somebody else may do it: more than a scrape that times out. */
export const CLAIM_MS = 10_000;
/** How long a check waits for the rollout that it was arranged for. */
const PATIENCE_MS = 60_000;
/** As many are claimed at once; a full batch means that there may be more. */
export const BATCH = 200;

/** What became of one check, for metrics and log. */
export interface CheckReport {
  readonly rollout: string;
  /** From the readings to the commands being handed over. */
  readonly decisionMs: number;
  readonly outcome: Outcome<Rollout>;
  readonly evidence: NonNullable<StoredCheck['evidence']>;
  readonly before: Existing;
}

export interface Checks {
  readonly documents: Documents<StoredCheck>;
  /** A rollout's first check; safe to repeat, also for one that is looked after. */
  arrange(id: string): Promise<void>;
  /** Arranges what should be looked after and is not. */
  reconcile(): Promise<void>;
  /** Claims what is due and begins to check it; resolves with what has begun, each of which never rejects. */
  runDue(): Promise<readonly Promise<void>[]>;
}

interface Deps {
  readonly documents: Documents<StoredCheck>;
  readonly rollouts: () => Rollouts;
  readonly source: MetricsSource;
  readonly clock: Clock;
  /** When something must be looked at: called with each next time. */
  readonly onDue: (at: number) => void;
  readonly onChecked: (report: CheckReport) => void;
  /** A check was due of a rollout that is over by now. */
  readonly onOver: (rollout: string) => void;
  readonly onFailed: (rollout: string, error: unknown) => void;
}

export function createChecks(deps: Deps): Checks {
  const { documents, clock, onDue } = deps;

  const arrange = async (id: string): Promise<void> => {
    const now = clock.now();
    const document = await documents.load(id);
    if (document && document.state.nextCheckAt !== null) return;
    const state = { ...(document?.state ?? arranged(now)), nextCheckAt: now };
    await saveIfFirst(deps, id, state, document);
  };

  const underWay = new Set<string>();
  const begin = async (id: string): Promise<void> => {
    if (underWay.has(id)) return;
    underWay.add(id);
    try {
      await checkOne(deps, id);
    } catch (error) {
      deps.onFailed(id, error);
      onDue(clock.now() + CLAIM_MS); // the claim then ends, and the check is due again
    } finally {
      underWay.delete(id);
    }
  };

  return {
    documents,
    arrange,
    async reconcile() {
      for (const id of await watchedIn(deps.rollouts().documents)) await arrange(id);
    },
    async runDue() {
      const ids = await documents.claimDue(clock.now(), CLAIM_MS, BATCH);
      return ids.map(begin);
    },
  };
}

async function checkOne(deps: Deps, id: string): Promise<void> {
  const { documents, clock } = deps;
  const [document, begun] = await Promise.all([documents.load(id), rolloutNow(deps, id)]);
  if (!document) return;
  const readings = isWatched(begun) ? await readFor(deps.source, begun, clock.now()) : [];
  const at = clock.now();
  // To read takes its time: the rollout may have been paused meanwhile, and that time must not count.
  const state = isWatched(begun) ? await rolloutNow(deps, id) : begun;
  if (isWatched(state)) await takeIn(deps, document, state, { readings, at });
  else {
    deps.onOver(id);
    await saveIfFirst(deps, id, restOf(document.state, state, at), document);
  }
}

async function rolloutNow({ rollouts }: Deps, id: string): Promise<Rollout> {
  const document = await rollouts().documents.load(id);
  return document?.state ?? { status: 'absent' };
}

/** Counts what was read by `at`, and decides on it. */
async function takeIn(
  deps: Deps,
  document: Document<StoredCheck>,
  state: Existing,
  { readings, at }: { readings: readonly Reading[]; at: number },
): Promise<void> {
  const { id } = document;
  const evidence = look(state, document.state.evidence, readings, at);
  // Side by side: whichever is lost in a crash is made again from the same counters.
  const [outcome] = await Promise.all([
    deps.rollouts().tick(id, evidence),
    saveIfFirst(deps, id, checked(document.state, state, evidence, at), document),
  ]);
  const decisionMs = deps.clock.now() - at;
  deps.onChecked({ rollout: id, decisionMs, outcome, evidence, before: state });
}

const readFor = async (
  source: MetricsSource,
  { status, plan, environment }: Existing,
  at: number,
): Promise<readonly Reading[]> =>
  status === 'rolling-back' ? [] : source.read(readsOf(plan, environment), at);

/** A rollout that is over needs no check; one that is still to begin is waited for a while. */
function restOf(check: StoredCheck, { status }: Rollout, now: number): StoredCheck {
  const waiting = status === 'absent' && now - check.arrangedAt < PATIENCE_MS;
  return { ...check, nextCheckAt: waiting ? now + 1_000 : null };
}

/** Somebody else who saved first has checked the same: that counts. */
async function saveIfFirst(
  { documents, onDue }: Deps,
  id: string,
  state: StoredCheck,
  before: Document<StoredCheck> | undefined,
): Promise<void> {
  const version = (before?.version ?? 0) + 1;
  try {
    await documents.save(id, { state, version, outbox: [] }, before?.token ?? 0);
  } catch (error) {
    if (!isAppError(error, 'STORE_VERSION_CONFLICT')) throw error;
  }
  if (state.nextCheckAt !== null) onDue(state.nextCheckAt);
}

const PAGE = 200;

async function watchedIn(documents: Documents<Rollout>): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let after: string | undefined; ;) {
    const page = await documents.list({ where: { watched: true }, after, limit: PAGE });
    ids.push(...page.map(({ id }) => id));
    after = page.at(-1)?.id;
    if (page.length < PAGE) return ids;
  }
}
