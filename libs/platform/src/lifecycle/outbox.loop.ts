import type { Clock } from '@tidegate/kernel';
import { createOutbox, type Faults, type Outbox, type Store } from '@tidegate/store';
import type { Documents } from '@tidegate/store';
import type { Bus } from '@tidegate/bus';
import { messageOf } from '@tidegate/kernel';
import type { Logger } from 'pino';
import type { Metrics } from '../metrics/metrics.ts';
import type { SelfKnowledge } from '../pager/facts.handler.ts';

export interface ServiceOutbox {
  readonly outbox: Outbox;
  /** The store, remembering which collections this service has: those are the ones that its relay looks after. */
  readonly store: Store;
  /** One round of the relay. */
  relay(): Promise<void>;
}

interface OutboxParts {
  readonly bus: Bus;
  readonly store: Store;
  readonly faults: Faults;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly self: SelfKnowledge;
}

/** The outbox of one service, and the relay that publishes what a crash or a silent bus has left. */
export function serviceOutbox({
  bus,
  store,
  faults,
  clock,
  log,
  metrics,
  self,
}: OutboxParts): ServiceOutbox {
  const collections = new Map<string, Documents<unknown>>();
  let owingSince: number | undefined;
  const outbox = createOutbox({
    publish: self.publishing(bus.publish),
    faults,
    onFailure: ({ collection, id, topic, doing, error }) => {
      metrics.outboxFailures.inc({ collection, doing });
      // Quietly: the relay goes on trying, and says once that it fails.
      log.debug({ collection, id, topic, doing, reason: messageOf(error) }, 'an outbox waits');
    },
  });
  return {
    outbox,
    store: remembering(store, collections),
    async relay() {
      const beganAt = clock.now();
      const { failed } = await outbox.relay([...collections.values()]);
      const now = clock.now();
      if (failed > 0 && owingSince === undefined)
        log.warn({ documents: failed }, 'the bus does not take what documents owe');
      if (failed === 0 && owingSince !== undefined)
        log.warn({ ms: now - owingSince }, 'the bus has taken all that documents owed');
      owingSince = failed === 0 ? undefined : (owingSince ?? now);
      self.relayed(
        owingSince === undefined ? undefined : { documents: failed, since: owingSince },
        beganAt,
      );
      metrics.outboxOwing.set(failed);
      metrics.outboxSeconds.set(owingSince === undefined ? 0 : (now - owingSince) / 1_000);
    },
  };
}

function remembering(store: Store, collections: Map<string, Documents<unknown>>): Store {
  return {
    epoch: store.epoch,
    leases: store.leases,
    documents(collection) {
      const documents = store.documents(collection);
      collections.set(collection.name, documents);
      return documents;
    },
    projection: (name) => store.projection(name),
    check: () => store.check(),
    close: () => store.close(),
  };
}
