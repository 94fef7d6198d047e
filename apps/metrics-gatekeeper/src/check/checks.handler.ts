import type { Clock } from '@tidegate/kernel';
import type { MetricsSource } from '@tidegate/metrics-source';
import type { Document, Documents, Outcome } from '@tidegate/store';
import { look } from '../rollout/look.ts';
import type { Rollouts } from '../rollout/rollouts.handler.ts';
import { type Existing, isWatched, type Rollout } from '../rollout/state.ts';
import { hastenChecks } from './hasten.handler.ts';
import { type Read, readFor } from './read-for.handler.ts';
import { saveCheck } from './save-check.handler.ts';
import { arranged, checked, type StoredCheck } from './stored-check.ts';

/**
 * How long a claimed check may take before somebody else may do it: longer than the slowest source (5 s), and so short
 * that what was claimed by a process that is gone is done within two intervals of 5 s: claim, round and reading.
 */
export const CLAIM_MS = 7_000;
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
  /** What is judged by the signals of this environment is looked at now; safe to repeat. */
  hasten(environment: string): Promise<void>;
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
    await save(deps, id, state, document);
  };

  const underWay = new Map<string, Promise<void>>();
  const attempt = async (id: string): Promise<void> => {
    try {
      await checkOne(deps, id);
    } catch (error) {
      deps.onFailed(id, error);
      onDue(clock.now() + CLAIM_MS); // the claim then ends, and the check is due again
    }
  };
  const again = new Map<string, Promise<void>>();
  const run = (id: string): Promise<void> => {
    const check = attempt(id).finally(() => underWay.delete(id));
    underWay.set(id, check);
    return check;
  };
  const runAgain = (id: string, before: Promise<void>): Promise<void> => {
    const next = before.then(() => {
      again.delete(id);
      return run(id);
    });
    again.set(id, next);
    return next;
  };
  /** What comes due while it is looked at may be news that was not read: it is looked at once more. */
  const begin = (id: string): Promise<void> => {
    const before = underWay.get(id);
    return before ? (again.get(id) ?? runAgain(id, before)) : run(id);
  };

  return {
    documents,
    arrange,
    async reconcile() {
      for (const id of await watchedIn(deps.rollouts().documents)) await arrange(id);
    },
    hasten: (environment) =>
      hastenChecks({ documents, rollouts: deps.rollouts().documents, clock, onDue }, environment),
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
  const known = document.state.evidence;
  const read = isWatched(begun)
    ? await readFor(deps.source, begun, known, clock.now())
    : { readings: [], known };
  const at = clock.now();
  // To read takes its time: the rollout may have been paused meanwhile, and that time must not count.
  const state = isWatched(begun) ? await rolloutNow(deps, id) : begun;
  if (isWatched(state)) await takeIn(deps, document, state, { ...read, at });
  else {
    deps.onOver(id);
    await save(deps, id, restOf(document.state, state, at), document);
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
  { readings, known, at }: Read & { readonly at: number },
): Promise<void> {
  const { id } = document;
  const evidence = look(state, known, readings, at);
  // Side by side: whichever is lost in a crash is made again from the same counters.
  const [outcome] = await Promise.all([
    deps.rollouts().tick(id, evidence),
    save(deps, id, checked(document.state, state, evidence, at), document),
  ]);
  const decisionMs = deps.clock.now() - at;
  deps.onChecked({ rollout: id, decisionMs, outcome, evidence, before: state });
}

/** A rollout that is over needs no check; one that is still to begin is waited for a while. */
function restOf(check: StoredCheck, { status }: Rollout, now: number): StoredCheck {
  const waiting = status === 'absent' && now - check.arrangedAt < PATIENCE_MS;
  return { ...check, nextCheckAt: waiting ? now + 1_000 : null };
}

async function save(
  { documents, onDue }: Deps,
  id: string,
  state: StoredCheck,
  before: Document<StoredCheck> | undefined,
): Promise<void> {
  const dueAt = await saveCheck(documents, id, state, before);
  if (dueAt !== null) onDue(dueAt);
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
