import type { ServiceContext } from '@tidegate/platform';
import { Counter } from 'prom-client';
import type { Config } from '../config.ts';
import type { z } from 'zod';
import type { Rollouts } from '../rollout/rollouts.handler.ts';
import { alertmanager } from './alertmanager.http.ts';
import { alertCollection } from './alerts.ts';
import { type BreachAlerts, createAlerts } from './alerts.handler.ts';
import { isSettled } from './settled.ts';

const TIMEOUT_MS = 5_000;
/** How often is looked for what has become due. */
const ROUND_MS = 1_000;

/** Tells an Alertmanager of breaches; undefined where none is configured. */
export function alertsOf(
  context: ServiceContext,
  config: z.output<typeof Config>,
  { documents: rollouts }: Pick<Rollouts, 'documents'>,
): BreachAlerts | undefined {
  const { ALERTMANAGER_URL: url, ALERTMANAGER_AUTHORIZATION: authorization } = config;
  if (url === undefined) return undefined;
  const alerts = createAlerts({
    documents: context.store.documents(alertCollection),
    alertmanager: alertmanager({ url, authorization, timeoutMs: TIMEOUT_MS }),
    clock: context.clock,
    faults: context.faults,
    source: context.name,
    everyMs: config.METRICS_GATEKEEPER_ALERT_EVERY_MS,
    isOver: async (id) => isSettled((await rollouts.load(id))?.state, context.clock.now()),
    wake: () => loop.wake(),
    onPosted: notedIn(context),
  });
  const loop = context.loop('gatekeeper.alerts', ROUND_MS, () => alerts.tellDue());
  return alerts;
}

/** Once, not each time: an Alertmanager that is away stands in the log as away, and as there again. */
function notedIn({ log, registry }: ServiceContext) {
  const posts = new Counter({
    name: 'tidegate_gatekeeper_alertmanager_posts_total',
    help: 'Posts of breaches to ALERTMANAGER_URL, by whether they were taken.',
    labelNames: ['result'],
    registers: [registry],
  });
  let isFailing = false;
  return (rollout: string, why: string | undefined): void => {
    posts.inc({ result: why === undefined ? 'taken' : 'failed' });
    if (why !== undefined && !isFailing)
      log.error({ rollout, why }, 'ALERTMANAGER_URL does not take alerts; they are sent again');
    if (why === undefined && isFailing) log.warn('ALERTMANAGER_URL takes alerts again');
    isFailing = why !== undefined;
  };
}
