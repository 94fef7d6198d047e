import { GatekeeperAlive } from '@tidegate/contracts';
import type { MetricsSource } from '@tidegate/metrics-source';
import { newMessage, type ServiceContext } from '@tidegate/platform';
import {
  createExecute,
  createOutbox,
  type Documents,
  type Execute,
  noFaults,
  type Store,
} from '@tidegate/store';
import type { MemoryDisk } from '@tidegate/store/testing';
import { EnvironmentConsumer } from '../../apps/flag-service/src/environment/environment.consumer.ts';
import {
  createEnvironments,
  environmentCollection,
} from '../../apps/flag-service/src/environment/environments.handler.ts';
import {
  type ChangeFlag,
  createChangeFlag,
} from '../../apps/flag-service/src/flag/change-flag.handler.ts';
import { FlagConsumer } from '../../apps/flag-service/src/flag/flag.consumer.ts';
import { flagCollection } from '../../apps/flag-service/src/flag/flags.ts';
import { HistoryConsumer } from '../../apps/flag-service/src/history/history.consumer.ts';
import { createHistory } from '../../apps/flag-service/src/history/history.handler.ts';
import type { PastChange } from '../../apps/flag-service/src/history/history.ts';
import { createFlagKnown } from '../../apps/flag-service/src/reference/flag-known.handler.ts';
import { createReferences } from '../../apps/flag-service/src/reference/references.handler.ts';
import {
  type ChangeSegment,
  createChangeSegment,
} from '../../apps/flag-service/src/segment/change-segment.handler.ts';
import { SegmentConsumer } from '../../apps/flag-service/src/segment/segment.consumer.ts';
import { segmentCollection } from '../../apps/flag-service/src/segment/segments.ts';
import { CloseSilent } from '../../apps/flag-service/src/silence/close-silent.handler.ts';
import { signsCollection } from '../../apps/flag-service/src/silence/shared-signs.handler.ts';
import { FlagViews } from '../../apps/flag-service/src/view/flag-views.handler.ts';
import { CheckLoop } from '../../apps/metrics-gatekeeper/src/check/check.loop.ts';
import { createGatekeeper } from '../../apps/metrics-gatekeeper/src/gatekeeper.handler.ts';
import { Pulse } from '../../apps/metrics-gatekeeper/src/heartbeat/pulse.ts';
import { HistoryConsumer as RolloutHistoryConsumer } from '../../apps/metrics-gatekeeper/src/history/history.consumer.ts';
import type { Plans } from '../../apps/metrics-gatekeeper/src/plan/plans.handler.ts';
import { RolloutConsumer } from '../../apps/metrics-gatekeeper/src/rollout/rollout.consumer.ts';
import type { Rollouts } from '../../apps/metrics-gatekeeper/src/rollout/rollouts.handler.ts';
import { createJournals } from '../../apps/migration-runner/src/journal/journal.handler.ts';
import { createQuarantine } from '../../apps/migration-runner/src/journal/quarantine.handler.ts';
import { advance } from '../../apps/migration-runner/src/run/advance.handler.ts';
import { createRuns } from '../../apps/migration-runner/src/run/change-run.handler.ts';
import { RunConsumer } from '../../apps/migration-runner/src/run/run.consumer.ts';
import { runCollection } from '../../apps/migration-runner/src/run/runs.ts';
import type { Environments } from '../../apps/flag-service/src/environment/environments.handler.ts';
import { registrationsOf } from './consumers.ts';
import type { Defect } from './defect.ts';
import { linkedStore, type SavedMessage } from './linked-store.memory.ts';
import { Loop } from './loop.ts';
import type { Life, Sim } from './sim.ts';
import type { SimBus } from './sim-bus.memory.ts';
import { orderTotals, type Table } from './table.memory.ts';

/** What all processes share. */
export interface Shared {
  readonly sim: Sim;
  readonly bus: SimBus;
  readonly disk: MemoryDisk;
  readonly saved: Map<string, SavedMessage>;
  readonly defect: Defect;
  readonly table: Table;
  readonly keepsHistory: boolean;
  readonly closesIfSilent: boolean;
  readonly source: (life: Life) => MetricsSource;
}

/** What people reach over HTTP, as far as it is up. */
export interface Doors {
  readonly changeFlag?: ChangeFlag;
  readonly changeSegment?: ChangeSegment;
  readonly environments?: Environments;
  readonly views?: FlagViews;
  readonly plans?: Plans;
  readonly rollouts?: Rollouts;
}

/** Starts one process of a service: it takes part once this resolves. */
export type Boot = (shared: Shared, life: Life) => Promise<Doors>;

const RELAY_MS = 1_000;
const REFRESH_MS = 2_000;
const ROUND_MS = 1_000;
const SILENCE_MS = 1_000;
const HEARTBEAT_MS = 5_000;
const RECONCILE_MS = 15_000;
/** Real time, which never passes while a world is simulated: a start waits for the bus, or for the world's end. */
const PATIENCE_MS = 1;

/** What platform makes for a service. */
function contextOf({ sim, bus, disk, saved, defect }: Shared, life: Life) {
  const { service: name } = life;
  const own = bus.publishFrom(life);
  const publish = defect.publish?.(own) ?? own;
  const linked = linkedStore(sim, life, disk, saved, defect, publish);
  const collections = new Map<string, Documents<unknown>>();
  const store: Store = {
    ...linked,
    documents(collection) {
      const documents = linked.documents(collection);
      collections.set(collection.name, documents);
      return documents;
    },
  };
  const faults = { at: (point: string) => sim.gate(life, point) };
  const clock = sim.scheduler;
  const { ids } = sim;
  const outbox = createOutbox({ publish, faults });
  const made = createExecute({ outbox, ids, clock, source: name, faults });
  const execute: Execute = defect.execute?.(made, clock) ?? made;
  const owes = () =>
    [...collections.keys()].some((each) =>
      [...(disk.documents.get(each)?.values() ?? [])].some(({ outbox: owed }) => owed.length > 0),
    );
  const relay = async () => {
    await outbox.relay([...collections.values()]);
  };
  if (!defect.neverRelays) new Loop(sim, life, 'relay', RELAY_MS, relay, owes).start();
  return { name, clock, ids, store, execute, publish };
}

export const bootFlagService: Boot = async (shared, life) => {
  const { sim, bus } = shared;
  const { store, execute, publish, ...own } = contextOf(shared, life);
  const context = {
    ...own,
    traceparent: () => undefined,
    bus: {
      publish,
      view: (source: Parameters<SimBus['view']>[1]) => bus.view(life, source),
      check: async () => {
        bus.check(life);
      },
    },
    log: {
      warn: (_fields: object, text: string) => {
        sim.note(life.name, text);
      },
      error: ({ err }: { err?: unknown }, text: string) => {
        sim.count(text);
        if (err === undefined) sim.note(life.name, text);
        else sim.tolerate(`${life.name}: ${text}`, err);
      },
    },
  } as unknown as ServiceContext;
  const flags = store.documents(flagCollection);
  const environments = createEnvironments(execute, store.documents(environmentCollection));
  const segments = store.documents(segmentCollection);
  const views = new FlagViews({ context, flags, segments, environments });
  await views.start(PATIENCE_MS);
  const references = createReferences(flags, segments);
  const changeFlag = createChangeFlag({
    execute,
    flags,
    environments,
    known: createFlagKnown(references, async () => 0),
    saved: (flag) => {
      views.saved(flag);
    },
  });
  const changeSegment = createChangeSegment({
    execute,
    segments,
    environments,
    references,
    saved: (segment) => {
      views.savedSegment(segment);
    },
  });
  new Loop(sim, life, 'views', REFRESH_MS, async () => {
    await views.refresh();
    views.check();
  }).start();
  if (shared.closesIfSilent && !shared.defect.neverCloses) {
    const signs = store.documents(signsCollection);
    const silence = new CloseSilent({ context, views, flags, signs, changeFlag });
    new Loop(sim, life, 'silence', SILENCE_MS, () => silence.round()).start();
  }
  const history = createHistory(store.projection<PastChange>('flag-history'), store.epoch);
  const consumers = [
    new EnvironmentConsumer(environments),
    new FlagConsumer(changeFlag),
    new SegmentConsumer(changeSegment),
    ...(shared.keepsHistory ? [new HistoryConsumer(history)] : []),
  ];
  bus.join(life, registrationsOf(life.service, consumers));
  return { changeFlag, changeSegment, environments, views };
};

export const bootGatekeeper: Boot = async (shared, life) => {
  const { sim, bus } = shared;
  const context = contextOf(shared, life);
  const pulse = new Pulse(life.name);
  const gatekeeper = createGatekeeper({
    ...context,
    source: shared.source(life),
    onChecked: ({ rollout, outcome }) => {
      pulse.checked(rollout, outcome.state, sim.now());
    },
    onDue: (at) => {
      sim.scheduler.after(life, at - sim.now(), () => {
        loop.wake();
      });
    },
    onFailed: (rollout, error) => {
      sim.tolerate(`${life.name} at the check of ${rollout}`, error);
    },
  });
  const { checks, plans, rollouts } = gatekeeper;
  const isDue = () =>
    [...(shared.disk.documents.get(checks.documents.name)?.values() ?? [])].some(
      ({ dueAt, claimedUntil }) =>
        dueAt !== undefined && dueAt <= sim.now() && claimedUntil <= sim.now(),
    );
  const round = new CheckLoop(checks);
  const loop = new Loop(sim, life, 'checks', ROUND_MS, () => round.round(), isDue);
  loop.start();
  const beat = () => {
    const made = { ...context, traceparent: () => undefined };
    return context.publish([newMessage(made, GatekeeperAlive, pulse.beat())]);
  };
  if (shared.closesIfSilent) new Loop(sim, life, 'alive', HEARTBEAT_MS, beat).start();
  new Loop(sim, life, 'reconcile', RECONCILE_MS, () => checks.reconcile()).start();
  const consumers = [
    new RolloutConsumer(rollouts),
    ...(shared.keepsHistory ? [new RolloutHistoryConsumer(gatekeeper.history)] : []),
  ];
  bus.join(life, registrationsOf(life.service, consumers));
  return { plans, rollouts };
};

const nothing = async (): Promise<undefined> => undefined;
/** No run of the simulation waits, and no step of one is long. */
const never = () => new Promise<never>(() => {});
/** The real one is done in other threads, at a time of their own. */
const compression = {
  compress: async (bytes: Uint8Array) => bytes,
  decompress: async (bytes: Uint8Array) => bytes,
};

export const bootRunner: Boot = async (shared, life) => {
  const { sim, bus } = shared;
  const { store, execute, clock, ids, name } = contextOf(shared, life);
  const documents = store.documents(runCollection);
  const migrations = new Map([[orderTotals.migration.id, orderTotals]]);
  const runs = createRuns({ execute, documents, migrations, clock, ids, source: name });
  const deps = {
    load: async (id: string) => (await documents.load(id))?.state,
    record: runs.record,
    refusal: runs.refusal,
    pacing: { clock, sleep: never, probe: nothing, heldBy: nothing },
    journals: createJournals(store.projection('migration-journal'), {
      clock,
      maxBytes: Infinity,
      compression,
    }),
    quarantine: createQuarantine(store.projection('migration-quarantine'), { clock, compression }),
    snapshots: new Map(),
    runsOf: runs.of,
    settleMs: 0,
    migrations,
    targets: shared.table.targets(sim, life),
    leases: store.leases,
    holder: life.name,
    faults: noFaults,
    clock,
    stopping: new AbortController().signal,
    yieldTurn: () => sim.gate(life, 'yield'),
    sleep: never,
  };
  const active = new Set<string>();
  const work = async (run: string) => {
    if (active.has(run)) return;
    active.add(run);
    try {
      await advance(deps, run);
    } finally {
      active.delete(run);
    }
  };
  const isDue = () =>
    [...(shared.disk.documents.get(runCollection.name)?.values() ?? [])].some(
      ({ dueAt }) => dueAt !== undefined,
    );
  const round = async () => {
    for (const run of await documents.claimDue(clock.now(), ROUND_MS, 4))
      sim.begin(`${life.name} works on ${run}`, work(run));
  };
  const loop = new Loop(sim, life, 'runs', ROUND_MS, round, isDue);
  loop.start();
  const wake = () => {
    loop.wake();
  };
  bus.join(life, registrationsOf(life.service, [new RunConsumer(runs, wake)]));
  return {};
};
