import type { Bus } from '@tidegate/bus';
import { type Clock, type Ids, messageOf } from '@tidegate/kernel';
import { createExecute, type Faults, type Store } from '@tidegate/store';
import type { Logger } from 'pino';
import { Registry } from 'prom-client';
import { Health } from '../health/health.handler.ts';
import type { FastRoute } from '../http/fast-route.ts';
import { createMetrics, type Metrics } from '../metrics/metrics.ts';
import { SelfKnowledge } from '../pager/facts.handler.ts';
import type { ServiceContext } from '../service.ts';
import { currentTraceparent } from '../telemetry/trace.ts';
import { ControlLoop } from './control-loop.loop.ts';
import { serviceOutbox } from './outbox.loop.ts';

export interface ContextParts {
  readonly name: string;
  readonly instance: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly bus: Bus;
  readonly store: Store;
  readonly faults: Faults;
  readonly log: Logger;
}

/** A service's context, and what only platform may do with it. */
export interface OwnContext {
  readonly context: ServiceContext;
  readonly health: Health;
  readonly metrics: Metrics;
  /** What pages tell. */
  readonly self: SelfKnowledge;
  readonly loops: readonly ControlLoop[];
  /** What the service wants to be asked past Nest. */
  readonly routes: readonly FastRoute[];
  readonly stopping: AbortController;
  stopLoops(): Promise<void>;
  /** Publishes what is owed, once. */
  readonly flush: () => Promise<void>;
  /** What the service gave to `onStop`, the last one first, each whatever becomes of the others. */
  readonly closeAll: () => Promise<void>;
}

const RELAY_MS = 1_000;

export function createContext(parts: ContextParts): OwnContext {
  const { name, instance, clock, ids, bus, faults, log } = parts;
  const registry = new Registry();
  const metrics = createMetrics(registry);
  const health = new Health();
  const loops: ControlLoop[] = [];
  const routes: FastRoute[] = [];
  const closers: (() => Promise<void>)[] = [];
  const stopping = new AbortController();
  const self = new SelfKnowledge(clock);
  const { outbox, store, relay } = serviceOutbox({ ...parts, metrics, self });
  const trace = currentTraceparent;
  const context: ServiceContext = {
    name,
    instance,
    clock,
    ids,
    bus,
    store,
    execute: createExecute({ outbox, ids, clock, source: name, faults, trace }),
    faults,
    registry,
    log,
    loop(loopName, everyMs, run) {
      const loop = new ControlLoop({ name: loopName, everyMs, run, log, metrics });
      loops.push(loop);
      if (health.phase === 'running') loop.start();
      return { wake: () => loop.wake() };
    },
    onStop: (close) => void closers.push(close),
    health: (checkName, check, { required = false } = {}) =>
      health.register({ name: checkName, check, required }),
    onPage: (say) => self.describe(say),
    traceparent: trace,
    stopping: stopping.signal,
    route: (route) => void routes.push(route),
  };
  context.health('store', () => store.check(), { required: true });
  context.health('bus', () => bus.check());
  context.loop('outbox', RELAY_MS, relay);
  return {
    context,
    health,
    metrics,
    self,
    loops,
    routes,
    stopping,
    stopLoops: async () => void (await Promise.all(loops.map((loop) => loop.stop()))),
    flush: relay,
    closeAll: () => closeEach(closers.toReversed()),
  };
}

async function closeEach(closers: readonly (() => Promise<void>)[]): Promise<void> {
  const failed: unknown[] = [];
  for (const close of closers)
    try {
      await close();
    } catch (error) {
      failed.push(error);
    }
  if (failed.length > 0) throw new Error(failed.map(messageOf).join('; '));
}
