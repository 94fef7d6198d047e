import { type DynamicModule, Module } from '@nestjs/common';
import type { ServiceContext } from '@tidegate/platform';
import type { z } from 'zod';
import { consoleChannel } from './channel/channel.console.ts';
import type { Channel } from './channel/channel.port.ts';
import { webhookChannel } from './channel/channel.webhook.ts';
import type { Config } from './config.ts';
import { NotificationConsumer } from './notification/notification.consumer.ts';
import { NotificationController } from './notification/notification.controller.ts';
import { notificationCollection } from './notification/notifications.ts';
import { createNotify } from './notification/notify.handler.ts';
import type { Route } from './route/route.ts';
import { NOTIFY, ROUTES } from './tokens.ts';

/** Longer than one attempt can take, so that nobody else sends meanwhile. */
const CLAIM_MS = 30_000;
const SENDS_AT_ONCE = 16;
const UNHEARD = 'While this lasts nobody is notified of anything else.';
const WATCH = 'Watch with tidegate rollout list --live.';

@Module({})
class NotifierModule {}

export function notifierModule(
  context: ServiceContext,
  config: z.output<typeof Config>,
): DynamicModule {
  const { store, execute, faults, clock, ids, log, name: source } = context;
  context.onPage((missing) => (missing === 'bus' ? `${UNHEARD} ${WATCH}` : UNHEARD));
  const channels = channelsOf(context, config);
  const routes = config.NOTIFIER_ROUTES_FILE ?? [everything(channels.has('webhook'))];
  const documents = store.documents(notificationCollection);
  const notify = createNotify({
    execute,
    documents,
    routes,
    channels,
    clock,
    ids,
    faults,
    source,
    stopping: context.stopping,
    random: { next: Math.random },
    wake: () => loop.wake(),
  });
  const send = async (id: string): Promise<void> => {
    try {
      const then = await notify.attempt(id);
      if (then?.status !== 'given-up') return;
      const fields = { notification: id, failure: then.lastFailure };
      log.error(fields, 'a notification was given up: nobody was told');
    } catch (error) {
      log.error({ err: error }, 'an attempt could not be recorded; it is made again');
    }
  };
  const sending = new Map<string, Promise<void>>();
  let areMoreDue = false;
  const loop = context.loop('notifications', config.NOTIFIER_CHECK_MS, async () => {
    const free = SENDS_AT_ONCE - sending.size;
    if (free === 0) return;
    const due = await documents.claimDue(clock.now(), CLAIM_MS, free);
    areMoreDue = due.length === free;
    // Not awaited: a page must not wait for a receiver that hangs. A repeat of what is being sent ends its claim.
    for (const id of due.filter((each) => !sending.has(each)))
      sending.set(
        id,
        send(id).finally(() => {
          sending.delete(id);
          if (areMoreDue) loop.wake();
        }),
      );
  });
  context.onStop(async () => void (await Promise.all(sending.values())));
  return {
    module: NotifierModule,
    controllers: [NotificationController, NotificationConsumer],
    providers: [
      { provide: NOTIFY, useValue: notify },
      { provide: ROUTES, useValue: routes },
    ],
  };
}

const everything = (hasWebhook: boolean): Route => ({
  name: 'everything',
  match: {},
  channel: hasWebhook ? 'webhook' : 'console',
  continue: false,
});

function channelsOf(
  { log, clock }: ServiceContext,
  config: z.output<typeof Config>,
): ReadonlyMap<string, Channel> {
  const channels = new Map<string, Channel>([
    ['console', consoleChannel((fields, sentence) => log.info(fields, sentence))],
  ]);
  const { NOTIFIER_WEBHOOK_URL: url, NOTIFIER_WEBHOOK_SECRET: secret } = config;
  if (url !== undefined && secret !== undefined)
    channels.set('webhook', webhookChannel({ url, secret, clock }));
  return channels;
}
