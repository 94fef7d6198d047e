import { join } from 'node:path';
import { type Clock, isAppError } from '@tidegate/kernel';
import type { Logger } from 'pino';
import type { PlatformConfig } from '../config/platform-config.ts';
import { storeAddress } from '@tidegate/store';
import { busAddress } from '../config/driver-url.ts';
import type { OwnContext } from '../lifecycle/service-context.module.ts';
import { signedWebhook } from '../webhook/webhook.http.ts';
import { Deliveries, type DeliveryOutcome } from './deliveries.handler.ts';
import { pagePolicy } from './page.ts';
import { LAST_WORDS_MS, letterOf, Pager } from './pager.handler.ts';

const ANSWER_WITHIN_MS = 5_000;
const CLOSE_WITHIN_MS = 2_000;
const LOOK_MS = 1_000;

export interface OpenedPager {
  lastWords(title: string, text: string): Promise<void>;
  close(): Promise<void>;
}

const nobody: OpenedPager = { lastWords: async () => undefined, close: async () => undefined };

/** The way to whoever is on call that needs neither bus nor store, if there is one. */
export function openPager(platform: PlatformConfig, own: OwnContext): OpenedPager {
  const { context, metrics } = own;
  const { PAGER_WEBHOOK_URL: url, PAGER_WEBHOOK_SECRET: secret } = platform;
  metrics.pagerConfigured.set(url === undefined ? 0 : 1);
  if (url === undefined || secret === undefined) {
    if (platform.BUS_URL?.driver === 'kafka')
      context.log.warn(
        'nobody is paged when the bus or the store is away: PAGER_WEBHOOK_URL is not set',
      );
    return nobody;
  }
  const { name: service, clock, log } = context;
  const deliveries = deliveriesTo({ url, secret, service, clock, log }, (outcome) =>
    metrics.pageAttempts.inc({ outcome }),
  );
  const pager = new Pager({
    ...context,
    ...addressesOf(platform),
    service,
    afterMs: platform.PAGER_AFTER_MS,
    self: own.self,
    deliveries,
    counted: ({ name, kind }) => metrics.pages.inc({ condition: name.split('/')[0] ?? name, kind }),
  });
  context.loop('pager', Math.min(LOOK_MS, platform.PAGER_AFTER_MS / 5), async () => {
    await pager.look();
    metrics.pagerFiring.set(pager.firing.length);
  });
  context.health('pager', () => {
    const { failure, waiting } = deliveries;
    if (failure !== undefined) throw new Error(`${failure} ${waiting} pages wait.`);
    return { receiver: new URL(url).host, firing: pager.firing, waiting };
  });
  return {
    lastWords: (title, text) => pager.lastWords(title, text),
    close: () => deliveries.close(CLOSE_WITHIN_MS),
  };
}

interface Receiver {
  readonly url: string;
  readonly secret: string;
  readonly service: string;
  readonly clock: Clock;
  readonly log: Logger;
}

const deliveriesTo = (
  { log, service, ...receiver }: Receiver,
  counted: (outcome: DeliveryOutcome) => void,
): Deliveries =>
  new Deliveries({
    send: signedWebhook({
      ...receiver,
      userAgent: `tidegate-${service}`,
      timeoutMs: ANSWER_WITHIN_MS,
    }),
    log,
    counted,
  });

const UNREACHABLE: ReadonlySet<string> = new Set(['STORE_UNREACHABLE', 'BUS_UNREACHABLE']);

/** A service that cannot start for want of its store or bus tells so; one that is started again and again, once. */
export async function pageFailedStart(
  { PAGER_WEBHOOK_URL: url, PAGER_WEBHOOK_SECRET: secret }: PlatformConfig,
  { service, clock, log }: Pick<Receiver, 'service' | 'clock' | 'log'>,
  error: unknown,
): Promise<void> {
  const isOurs = isAppError(error) && UNREACHABLE.has(error.code);
  if (!isOurs || url === undefined || secret === undefined) return;
  const now = clock.now();
  const { remindMs } = pagePolicy(0);
  const title = `${service} cannot start`;
  const letter = letterOf(
    {
      name: 'cannot-start',
      kind: 'fired',
      severity: 'critical',
      title,
      text: `${title}: ${error.message} Whatever watches it has to start it again, and tries do no harm.`,
      since: now - (now % remindMs),
      count: 1,
    },
    { service, instance: 'none' },
    now,
  );
  await deliveriesTo({ url, secret, service, clock, log }, () => undefined).now(
    letter,
    LAST_WORDS_MS,
  );
}

const addressesOf = ({ BUS_URL, STORE_URL, DATA_DIR }: PlatformConfig) => ({
  busAddress: busAddress(BUS_URL ?? { driver: 'sqlite', file: join(DATA_DIR, 'bus.db') }),
  storeAddress: storeAddress(STORE_URL ?? { driver: 'sqlite', file: join(DATA_DIR, 'store.db') }),
});
