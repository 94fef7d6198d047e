import { createHash } from 'node:crypto';
import type { AcknowledgeNotification, Message, NotificationEvent } from '@tidegate/contracts';
import type { Clock, Ids, Random } from '@tidegate/kernel';
import type { Documents, Execute, Faults, Outcome } from '@tidegate/store';
import type { Sent } from '@tidegate/platform';
import { alertOf } from '../alert/alert.ts';
import type { Channels, Parcel } from '../channel/channel.port.ts';
import { type Route, routesFor } from '../route/route.ts';
import {
  decideNotification,
  evolveNotification,
  initialNotification,
  isOutdated,
  type Notification,
  type NotificationCommand,
} from './notification.ts';

export interface Notify {
  readonly documents: Documents<Notification>;
  /** Stores what must be told about a message, one notification a route, before anything is sent. */
  tell(message: Message): Promise<void>;
  /** One attempt of one stored notification, and what it is then; undefined: none was due, or it was cut off. */
  attempt(notification: string): Promise<Notification | undefined>;
  acknowledge(command: AcknowledgeNotification): Promise<Outcome<Notification>>;
  sendAgain(notification: string, by: string): Promise<Outcome<Notification>>;
}

export interface NotifyDeps {
  readonly execute: Execute;
  readonly documents: Documents<Notification>;
  readonly routes: readonly Route[];
  readonly channels: Channels;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
  readonly faults: Faults;
  readonly source: string;
  /** Cuts off attempts under way: they are made again. */
  readonly stopping: AbortSignal;
  /** Called when something became due. */
  readonly wake: () => void;
}

/** The same alert along the same route is the same notification, whoever handles its message, however often. */
const notificationId = (route: string, fingerprint: string): string =>
  `n-${createHash('sha256').update(`${route}\u0000${fingerprint}`).digest('hex').slice(0, 20)}`;

export function createNotify(deps: NotifyDeps): Notify {
  const { documents, clock, ids, source } = deps;
  const decider = {
    initial: initialNotification,
    decide: decideNotification,
    evolve: evolveNotification,
  };
  const run: Run = (id, command) =>
    deps.execute<Notification, NotificationCommand, NotificationEvent>(
      { documents, decider },
      id,
      command,
    );
  const own: Own = (correlationId, actor = source) => ({
    id: ids.next(),
    source,
    at: clock.now(),
    actor,
    correlationId,
  });
  return {
    documents,
    tell: (message) => tell(deps, run, message),
    attempt: (id) => attempt(deps, run, own, id),
    acknowledge: (command) => run(command.data.notification, command),
    sendAgain: async (notification, by) => {
      const data = { notification };
      const metadata = own(notification, by);
      const outcome = await run(notification, { type: 'SendAgain', data, metadata });
      deps.wake();
      return outcome;
    },
  };
}

type Run = (id: string, command: NotificationCommand) => Promise<Outcome<Notification>>;
type Own = (correlationId: string, actor?: string) => NotificationCommand['metadata'];

/** The command's id is the message's: a message delivered twice is told once. */
async function tell(deps: NotifyDeps, run: Run, message: Message): Promise<void> {
  const alert = alertOf(message);
  if (!alert) return;
  const { id, at: happenedAt } = message.metadata;
  const cause = { id, type: message.type };
  const taken = routesFor(deps.routes, alert.labels);
  for (const route of taken.length > 0 ? taken : [undefined]) {
    const notification = notificationId(route?.name ?? '', alert.fingerprint);
    await run(notification, {
      type: 'Tell',
      data: { notification, alert, cause, route, happenedAt },
      metadata: { ...message.metadata, at: deps.clock.now() },
    });
  }
  deps.wake();
}

async function attempt(
  deps: NotifyDeps,
  run: Run,
  own: Own,
  id: string,
): Promise<Notification | undefined> {
  const state = (await deps.documents.load(id))?.state;
  if (state?.status !== 'waiting') return undefined;
  const { alert, channel, createdAt, round, attempts } = state.told;
  const parcel = { id: `${id}.${round}`, alert, createdAt, attempt: attempts + 1 };
  const document = `${deps.documents.name}/${id}`;
  await deps.faults.at('send.due', document);
  const sent = isOutdated(createdAt, deps.clock.now())
    ? OUTDATED
    : await sendBy(deps, channel, parcel);
  if (!sent) return undefined;
  await deps.faults.at('send.sent', document);
  const data = { notification: id, round, attempt: attempts + 1, random: deps.random.next() };
  const outcome = await run(id, {
    type: 'RecordAttempt',
    data: sent.delivered ? data : { ...data, failure: sent },
    metadata: own(alert.thread),
  });
  return outcome.state;
}

const OUTDATED: Sent = {
  delivered: false,
  message: 'too-old: it has waited for more than a day, and is sent to nobody.',
  retryable: false,
};

const sendBy = async (
  { channels, stopping }: NotifyDeps,
  name: string,
  parcel: Parcel,
): Promise<Sent | undefined> =>
  channels.get(name)?.send(parcel, stopping) ?? {
    delivered: false,
    message: `There is no channel ${name}.`,
    retryable: true,
  };
