import type { ThresholdBreached } from '@tidegate/contracts';
import { type Clock, isAppError } from '@tidegate/kernel';
import type { Document, Documents, Faults } from '@tidegate/store';
import { type Alerts, failed, noAlerts, posted, raise, told } from './alert.ts';
import type { Alertmanager } from './alertmanager.port.ts';

export interface AlertsDeps {
  readonly documents: Documents<Alerts>;
  readonly alertmanager: Alertmanager;
  readonly clock: Clock;
  readonly faults: Faults;
  /** Whose breaches are told: those of others they have told themselves. */
  readonly source: string;
  readonly everyMs: number;
  /** Whether the rollout's breaches are resolved: see `isSettled`. */
  readonly isOver: (rollout: string) => Promise<boolean>;
  /** Something must be told now. */
  readonly wake: () => void;
  /** `why` it could not be told, if so. */
  readonly onPosted: (rollout: string, why: string | undefined) => void;
}

export interface BreachAlerts {
  /** Keeps a breach that is to be told; safe to repeat. Thrown STORE_VERSION_CONFLICT: once more will do. */
  raise(breach: ThresholdBreached): Promise<void>;
  /** Tells all that is due. */
  tellDue(): Promise<void>;
}

/** Longer than one post can take, so that nobody else tells meanwhile. */
const CLAIM_MS = 15_000;
const BATCH = 50;

/** Breaches on their way to an Alertmanager: kept first and sent by a loop, until it knows that they are over. */
export function createAlerts(deps: AlertsDeps): BreachAlerts {
  const { documents, clock, source } = deps;
  return {
    async raise(breach) {
      const { rollout } = breach.data;
      if (breach.metadata.source !== source || rollout === undefined) return;
      const document = await documents.load(rollout);
      const before = document?.state ?? noAlerts;
      const alerts = raise(before, breach, clock.now());
      if (alerts !== before) await save(deps, rollout, document, alerts);
      deps.wake();
    },
    async tellDue() {
      const due = await documents.claimDue(clock.now(), CLAIM_MS, BATCH);
      await Promise.all(due.map((rollout) => tell(deps, rollout)));
    },
  };
}

async function tell(deps: AlertsDeps, rollout: string): Promise<void> {
  const { documents, alertmanager, clock, faults, everyMs } = deps;
  const document = await documents.load(rollout);
  if (!document || document.state.nextAt === null) return;
  const { state } = document;
  const isOver = await deps.isOver(rollout);
  await faults.at('send.due', `${documents.name}/${rollout}`);
  const why = await alertmanager.post(posted(state, clock.now(), { isOver, everyMs }));
  await faults.at('send.sent', `${documents.name}/${rollout}`);
  deps.onPosted(rollout, why);
  const after =
    why === undefined
      ? told(state, clock.now(), { isOver, everyMs })
      : failed(state, clock.now(), isOver);
  try {
    await save(deps, rollout, document, after);
  } catch (error) {
    // Another breach was kept meanwhile, which makes all of them due: they are told once more.
    if (!isAppError(error, 'STORE_VERSION_CONFLICT')) throw error;
  }
}

const save = (
  { documents }: AlertsDeps,
  rollout: string,
  before: Document<Alerts> | undefined,
  state: Alerts,
): Promise<Document<Alerts>> => {
  const version = (before?.version ?? 0) + 1;
  return documents.save(rollout, { state, version, outbox: [] }, before?.token ?? 0);
};
