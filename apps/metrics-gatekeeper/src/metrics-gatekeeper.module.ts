import { type DynamicModule, Module } from '@nestjs/common';
import { GatekeeperAlive } from '@tidegate/contracts';
import {
  type MetricsSource,
  prometheusSource,
  scrapeSource,
  sourceByTarget,
} from '@tidegate/metrics-source';
import { newMessage, type ServiceContext } from '@tidegate/platform';
import { restoresOf } from '@tidegate/store';
import type { z } from 'zod';
import { AlertConsumer } from './alert/alert.consumer.ts';
import { alertsOf } from './alert/alert.module.ts';
import { AlertmanagerController } from './breach/alertmanager.controller.ts';
import { BreachController } from './breach/breach.controller.ts';
import { Alarm, CheckLoop } from './check/check.loop.ts';
import type { Config } from './config.ts';
import { FeasibilityController } from './feasibility/feasibility.controller.ts';
import { createFeasibility } from './feasibility/feasibility.handler.ts';
import { createWarnings } from './feasibility/warnings.handler.ts';
import { createGatekeeper, type Gatekeeper } from './gatekeeper.handler.ts';
import { GuardRecordConsumer } from './guard-record/guard-record.consumer.ts';
import { GuardRecordController } from './guard-record/guard-record.controller.ts';
import { HistoryConsumer } from './history/history.consumer.ts';
import { HistoryController } from './history/history.controller.ts';
import type { History } from './history/history.handler.ts';
import { noteOf } from './history/note.ts';
import { type GatekeeperMetrics, gatekeeperMetrics } from './gatekeeper-metrics.prometheus.ts';
import { OutsideWatcher } from './heartbeat/outside-watcher.http.ts';
import { Pulse } from './heartbeat/pulse.ts';
import { PlanController } from './plan/plan.controller.ts';
import { readRangeFrom } from './rehearse/range.prometheus.ts';
import type { ReadRange } from './rehearse/recordings.handler.ts';
import { createRehearsals } from './rehearse/rehearsals.handler.ts';
import { RehearseController } from './rehearse/rehearse.controller.ts';
import { RolloutConsumer } from './rollout/rollout.consumer.ts';
import { RolloutController } from './rollout/rollout.controller.ts';
import { SignalConsumer } from './signal/signal.consumer.ts';
import { SignalController } from './signal/signal.controller.ts';
import { signalsOf } from './signal/signal.module.ts';
import * as token from './tokens.ts';

/** How often a round looks for what other instances, or a crash, have left due. */
const ROUND_MS = 1_000;
const RECONCILE_MS = 15_000;
const OUTSIDE_TIMEOUT_MS = 4_000;

@Module({})
class MetricsGatekeeperModule {}

const controllers = [
  PlanController,
  RehearseController,
  FeasibilityController,
  RolloutController,
  HistoryController,
  GuardRecordController,
  AlertmanagerController,
  BreachController,
  SignalController,
  RolloutConsumer,
  SignalConsumer,
  HistoryConsumer,
  GuardRecordConsumer,
];

export async function metricsGatekeeperModule(
  context: ServiceContext,
  config: z.output<typeof Config>,
): Promise<DynamicModule> {
  const { clock, log } = context;
  const metrics = gatekeeperMetrics(context.registry);
  const pulse = new Pulse(context.instance);
  context.onPage((missing) => pulse.said(missing));
  const alarm = new Alarm(clock, () => loop.wake());
  const source = sourceOf(context, config);
  const gatekeeper = createGatekeeper({
    ...context,
    source,
    warnings: createWarnings({ source, clock }),
    onDue: (at) => alarm.set(at),
    onChecked: (report) => {
      pulse.checked(report.rollout, report.outcome.state, clock.now());
      metrics.checked(report, clock.now());
    },
    onOver: (rollout) => pulse.over(rollout),
    onFailed: (rollout, error) => {
      pulse.failed(rollout, clock.now());
      metrics.failed();
      log.error({ rollout, err: error }, 'a check failed; it is done again');
    },
  });
  await pauseIfRestored(context, gatekeeper);
  const loop = checking(context, gatekeeper, pulse);
  beatOf(context, config, pulse, metrics);
  context.stopping.addEventListener('abort', () => alarm.stop());

  const alerts = alertsOf(context, config, gatekeeper.rollouts);
  const given: readonly (readonly [symbol, unknown])[] = [
    ...(alerts ? [[token.ALERTS, alerts] as const] : []),
    [token.PLANS, gatekeeper.plans],
    [token.ROLLOUTS, gatekeeper.rollouts],
    [token.ROLLOUT_QUERIES, gatekeeper.queries],
    [token.REHEARSALS, createRehearsals(clock, context.stopping)],
    [token.READ_RANGE, readRangeOf(context, config)],
    [token.FEASIBILITY, createFeasibility({ source, clock })],
    [token.HISTORY, noted(gatekeeper.history, context, metrics)],
    [token.GUARD_RECORDS, gatekeeper.guardRecords],
    [token.SIGNALS, signalsOf(context, gatekeeper.signals, metrics)],
  ];
  const providers = given.map(([provide, useValue]) => ({ provide, useValue }));
  return {
    module: MetricsGatekeeperModule,
    controllers: alerts ? [...controllers, AlertConsumer] : controllers,
    providers,
  };
}

/** Before anything is checked or consumed: rollouts of a restored backup do not go on by themselves. */
async function pauseIfRestored(
  { store, name }: Pick<ServiceContext, 'store' | 'name'>,
  { rollouts }: Pick<Gatekeeper, 'rollouts'>,
): Promise<void> {
  const restores = restoresOf(store, name);
  if ((await restores.unsettledSince()) === undefined) return;
  await rollouts.pauseRestored(store.epoch);
  await restores.settle();
}

/** Does what is due, and arranges what should be; what is under way is waited for when the service stops. */
function checking(
  context: ServiceContext,
  { checks }: Pick<Gatekeeper, 'checks'>,
  pulse: Pulse,
): { wake(): void } {
  const checkLoop = new CheckLoop(checks);
  const loop = context.loop('gatekeeper.checks', ROUND_MS, async () => {
    try {
      await checkLoop.round();
      pulse.roundDone(context.clock.now());
    } catch (error) {
      pulse.roundFailed();
      throw error;
    }
  });
  context.loop('gatekeeper.reconcile', RECONCILE_MS, () => checks.reconcile());
  context.onStop(() => checkLoop.settled());
  return loop;
}

/** Told to the bus, and to those outside only while everything works that a rollout needs. */
function beatOf(
  context: ServiceContext,
  config: z.output<typeof Config>,
  pulse: Pulse,
  metrics: GatekeeperMetrics,
): void {
  const { clock, log } = context;
  const { METRICS_GATEKEEPER_HEARTBEAT_MS: everyMs, METRICS_GATEKEEPER_HEARTBEAT_URL: url } =
    config;
  const onTold = metrics.outsideTold;
  const outside =
    url === undefined
      ? undefined
      : new OutsideWatcher({ url, timeoutMs: OUTSIDE_TIMEOUT_MS, log, onTold });
  context.loop('gatekeeper.alive', everyMs, async () => {
    const beat = pulse.beat();
    metrics.watched(beat.running);
    await context.bus.publish([newMessage(context, GatekeeperAlive, beat)]);
    if (!pulse.isWell(clock.now())) return;
    metrics.alive(clock.now());
    void outside?.tell(beat);
  });
  context.onStop(async () => outside?.settled());
}

function sourceOf({ clock }: ServiceContext, config: z.output<typeof Config>): MetricsSource {
  const { PROMETHEUS_URL: defaultUrl, PROMETHEUS_AUTHORIZATION: authorization } = config;
  const limits = {
    timeoutMs: config.METRICS_GATEKEEPER_SCRAPE_TIMEOUT_MS,
    shareForMs: config.METRICS_GATEKEEPER_SCRAPE_SHARE_MS,
  };
  const credentials =
    defaultUrl !== undefined && authorization !== undefined
      ? { url: defaultUrl, authorization }
      : undefined;
  return sourceByTarget({
    scrape: scrapeSource({ clock, ...limits }),
    prometheus: prometheusSource({ clock, credentials, ...limits }),
    defaultUrl,
  });
}

const readRangeOf = (
  { clock }: ServiceContext,
  { PROMETHEUS_URL: defaultUrl, PROMETHEUS_AUTHORIZATION: authorization }: z.output<typeof Config>,
): ReadRange => readRangeFrom({ clock, defaultUrl, authorization });

/** The same, and what rollouts decide stands in the log and in the metrics: again, where an event comes again. */
function noted(
  history: History,
  { log }: Pick<ServiceContext, 'log'>,
  metrics: Pick<GatekeeperMetrics, 'told'>,
): History {
  return {
    ...history,
    async project(event) {
      await history.project(event);
      if (!event.metadata.revision) return; // somebody else's, not yet acted on
      metrics.told(event.type);
      const note = noteOf(event);
      if (note) log[note.level](note.fields, note.sentence);
    },
  };
}
