import { isAppError } from '@tidegate/kernel';
import type { Collection, Documents } from './documents.port.ts';
import type { Store } from './store.port.ts';

/** Up to which epoch a service has made up for what a restored backup lacks. */
interface Settled {
  readonly epoch: number;
}

const settledCollection: Collection<Settled> = {
  name: 'settled-epochs',
  schemaVersion: 1,
  index: () => ({}),
};

/** What one service must know of the backups that were put back. */
export interface Restores {
  /**
   * While the service has not settled the present epoch: the one whose documents the store had when the backup was
   * made, as far as this service knows. Undefined when there is nothing to make up for.
   */
  unsettledSince(): Promise<number | undefined>;
  /** To be called when all is made up for; safe to repeat, also by several replicas. */
  settle(): Promise<void>;
}

/** The mark is a document, so a backup brings along the one of its own time. */
export function restoresOf(store: Pick<Store, 'documents' | 'epoch'>, service: string): Restores {
  const documents = store.documents(settledCollection);
  const { epoch } = store;
  return {
    async unsettledSince() {
      const since = (await documents.load(service))?.state.epoch ?? 1;
      return since < epoch ? since : undefined;
    },
    settle: () => settle(documents, service, epoch),
  };
}

async function settle(
  documents: Documents<Settled>,
  service: string,
  epoch: number,
): Promise<void> {
  const found = await documents.load(service);
  if (found && found.state.epoch >= epoch) return;
  const version = (found?.version ?? 0) + 1;
  try {
    await documents.save(service, { state: { epoch }, version, outbox: [] }, found?.token ?? 0);
  } catch (error) {
    if (!isAppError(error, 'STORE_VERSION_CONFLICT')) throw error;
    await settle(documents, service, epoch);
  }
}
