import type { Clock, Ids } from '@tidegate/kernel';
import type { MetricsSource } from '@tidegate/metrics-source';
import type { Execute, Store } from '@tidegate/store';
import { type CheckReport, type Checks, createChecks } from './check/checks.handler.ts';
import { checkCollection } from './check/stored-check.ts';
import { createGuardRecords, type GuardRecords } from './guard-record/guard-records.handler.ts';
import { guardRecordCollection } from './guard-record/guard-records.ts';
import { createHistory, type History } from './history/history.handler.ts';
import type { Entry } from './history/history.ts';
import { createPlans, type Plans } from './plan/plans.handler.ts';
import { planCollection } from './plan/stored-plan.ts';
import { createRolloutQueries, type RolloutQueries } from './rollout/rollout-queries.handler.ts';
import { createRollouts, type Rollouts, type Warnings } from './rollout/rollouts.handler.ts';
import { rolloutCollection } from './rollout/rollouts.ts';
import { intakeCollection } from './signal/intake.ts';
import { signalSource, withSignals } from './signal/signal-source.handler.ts';
import { createSignals, type Signals } from './signal/signals.handler.ts';
import { signalCollection } from './signal/signals.ts';

export interface GatekeeperDeps {
  readonly execute: Execute;
  readonly store: Pick<Store, 'documents' | 'projection'>;
  readonly clock: Clock;
  readonly ids: Ids;
  /** `metrics-gatekeeper` */
  readonly name: string;
  /** Of everything but signals, which are kept here. */
  readonly source: MetricsSource;
  /** Without it a start warns of nothing. */
  readonly warnings?: Warnings;
  readonly onDue?: (at: number) => void;
  readonly onChecked?: (report: CheckReport) => void;
  readonly onOver?: (rollout: string) => void;
  readonly onFailed?: (rollout: string, error: unknown) => void;
}

/** The whole service without its edges: what module, simulations and specs are made of. */
export interface Gatekeeper {
  readonly plans: Plans;
  readonly rollouts: Rollouts;
  readonly queries: RolloutQueries;
  readonly checks: Checks;
  readonly history: History;
  readonly guardRecords: GuardRecords;
  readonly signals: Signals;
}

export function createGatekeeper(deps: GatekeeperDeps): Gatekeeper {
  const { execute, store, clock, ids } = deps;
  const plans = createPlans({ execute, documents: store.documents(planCollection), clock, ids });
  const signals = createSignals({
    execute,
    documents: store.documents(signalCollection),
    intake: store.documents(intakeCollection),
    clock,
    hasten: (environment) => checks.hasten(environment),
  });
  const checks: Checks = createChecks({
    documents: store.documents(checkCollection),
    rollouts: () => rollouts,
    source: withSignals(deps.source, signalSource(signals)),
    clock,
    onDue: deps.onDue ?? (() => undefined),
    onChecked: deps.onChecked ?? (() => undefined),
    onOver: deps.onOver ?? (() => undefined),
    onFailed:
      deps.onFailed ??
      ((_rollout, error) => {
        throw error;
      }),
  });
  const rollouts: Rollouts = createRollouts({
    execute,
    documents: store.documents(rolloutCollection),
    plans,
    clock,
    ids,
    source: deps.name,
    arrangeChecks: (id) => checks.arrange(id),
    warnings: deps.warnings ?? (async () => []),
    evidenceOf: async (id) => (await checks.documents.load(id))?.state.evidence,
  });
  const queries = createRolloutQueries({
    rollouts: rollouts.documents,
    checks: checks.documents,
    clock,
  });
  const history = createHistory(store.projection<Entry>('rollout-history'));
  const guardRecords = createGuardRecords({
    documents: store.documents(guardRecordCollection),
    rollouts: rollouts.documents,
  });
  return { plans, rollouts, queries, checks, history, guardRecords, signals };
}
