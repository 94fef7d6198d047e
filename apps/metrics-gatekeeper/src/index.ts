import { defineService } from '@tidegate/platform';
import { Config } from './config.ts';
import { metricsGatekeeperModule } from './metrics-gatekeeper.module.ts';

/** Plans and rollouts: opens a flag stage by stage, judges its metrics, and takes it back when they turn. */
export const metricsGatekeeper = defineService({
  name: 'metrics-gatekeeper',
  description: 'Plans and rollouts: judges the metrics of every stage, and takes back what fails.',
  defaultPort: 7402,
  config: Config,
  statuses: {
    APPROVAL_FOUR_EYES: 403,
    APPROVAL_ROLE_TOO_LOW: 403,
    PLAN_TEXT_GONE: 410,
    PLAN_VERSION_UNUSABLE: 422,
    PLAN_ASKED_TWICE: 422,
    REHEARSAL_BUSY: 429,
    REHEARSAL_TOO_LARGE: 413,
    REHEARSAL_NO_DATA: 422,
    REHEARSAL_SPAN: 422,
    REHEARSAL_NO_PROMETHEUS: 422,
    REHEARSAL_DATA_UNREADABLE: 422,
    INJECTION_MALFORMED: 422,
    INJECTION_NOWHERE: 422,
    RECORDING_MALFORMED: 422,
    NOTATION_MALFORMED: 422,
  },
  module: metricsGatekeeperModule,
});

// For simulations, benches and specs: the same rules and handlers over other ports.
export { Alarm, CheckLoop } from './check/check.loop.ts';
export { gatekeeperMetrics } from './gatekeeper-metrics.prometheus.ts';
export { createGatekeeper, type Gatekeeper, type GatekeeperDeps } from './gatekeeper.handler.ts';
export { type ObservedMessage } from './rollout/observed.ts';
export { rolloutDecider } from './rollout/rollout.ts';
export { rolloutCollection } from './rollout/rollouts.ts';
export { rolloutIdFor } from './rollout/rollouts.handler.ts';
export { type Rollout } from './rollout/state.ts';
