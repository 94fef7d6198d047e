import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { CheckReport } from './check/checks.handler.ts';
import { judge } from './rollout/look.ts';

export interface GatekeeperMetrics {
  checked(report: CheckReport, at: number): void;
  failed(): void;
  /** An event that a rollout's document has made. */
  told(type: string): void;
  watched(rollouts: number): void;
  alive(at: number): void;
  outsideTold(result: 'told' | 'failed'): void;
  signalled(result: 'counted' | 'refused'): void;
}

/** Labels come from closed lists: outcomes and the reasons that verdicts name. */
export function gatekeeperMetrics(registry: Registry): GatekeeperMetrics {
  const registers = [registry];
  const verdicts = new Counter({
    name: 'tidegate_gatekeeper_verdicts_total',
    help: 'Verdicts of guards, by outcome and reason.',
    labelNames: ['outcome', 'reason'],
    registers,
  });
  const checks = new Counter({
    name: 'tidegate_gatekeeper_checks_total',
    help: 'Checks of rollouts, by whether they decided something.',
    labelNames: ['result'],
    registers,
  });
  const decision = new Histogram({
    name: 'tidegate_gatekeeper_decision_seconds',
    help: 'From the readings of a check to its commands being handed to the bus; only checks that decided something.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers,
  });
  const events = new Counter({
    name: 'tidegate_gatekeeper_events_total',
    help: 'What rollouts have decided and become, by type: starts, breaches, rollbacks, ends.',
    labelNames: ['type'],
    registers,
  });
  const running = new Gauge({
    name: 'tidegate_gatekeeper_rollouts_watched',
    help: 'Rollouts that this instance has checked lately and that are not over.',
    registers,
  });
  const alive = new Gauge({
    name: 'tidegate_gatekeeper_alive_timestamp_seconds',
    help: 'When this instance last said that it is alive: its checks worked, its store and its bus answered.',
    registers,
  });
  const outside = new Counter({
    name: 'tidegate_gatekeeper_outside_heartbeats_total',
    help: 'Calls of METRICS_GATEKEEPER_HEARTBEAT_URL, by whether they were accepted.',
    labelNames: ['result'],
    registers,
  });
  const signals = signalsCounter(registry);
  return {
    checked({ before, evidence, outcome, decisionMs }, at) {
      for (const { outcome: result, reason } of judge(before, evidence, at))
        verdicts.inc({ outcome: result, reason });
      const decided = outcome.answer.outcome === 'changed';
      checks.inc({ result: decided ? 'decided' : 'nothing' });
      if (decided) decision.observe(decisionMs / 1_000);
    },
    failed: () => checks.inc({ result: 'failed' }),
    told: (type) => events.inc({ type }),
    watched: (rollouts) => running.set(rollouts),
    alive: (at) => alive.set(at / 1_000),
    outsideTold: (result) => outside.inc({ result }),
    signalled: (result) => signals.inc({ result }),
  };
}

const signalsCounter = (registry: Registry): Counter<'result'> =>
  new Counter({
    name: 'tidegate_gatekeeper_signals_total',
    help: 'Signals that were reported, by whether they were counted; repeats too.',
    labelNames: ['result'],
    registers: [registry],
  });
