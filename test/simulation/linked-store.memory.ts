import type { Publish } from '@tidegate/contracts';
import type { Change, Documents, Store } from '@tidegate/store';
import { type MemoryDisk, memoryStore } from '@tidegate/store/testing';
import type { Defect } from './defect.ts';
import { type Life, type Sim, unreachable } from './sim.ts';

/** Where a message that was put on the bus came from: saved with its document, as it must be. */
export interface SavedMessage {
  readonly collection: string;
  readonly document: string;
  /** When it was saved: some time after it was decided. */
  readonly at: number;
}

/** The store as one process reaches it: over a connection that is slow, breaks, and loses answers. */
export function linkedStore(
  sim: Sim,
  life: Life,
  disk: MemoryDisk,
  saved: Map<string, SavedMessage>,
  defect: Defect,
  publish: Publish,
): Store {
  const store = memoryStore({ clock: sim.scheduler, disk });
  const reach = async (point: string, failing: number): Promise<void> => {
    await sim.gate(life, point);
    if (!life.storeIsCut && !sim.random.chance(failing)) return;
    sim.count(`${point} failed`);
    throw unreachable('STORE_UNREACHABLE');
  };
  const read = async <T>(point: string, call: () => Promise<T>): Promise<T> => {
    await reach(point, sim.profile.readFails);
    return call();
  };
  const write = async <T>(point: string, call: () => Promise<T>): Promise<T> => {
    await reach(point, sim.profile.saveFails);
    const result = await call();
    if (sim.random.chance(sim.profile.saveAckLost)) {
      sim.count(`${point}: answer lost`);
      throw unreachable('STORE_UNREACHABLE');
    }
    await sim.gate(life, `${point} done`);
    return result;
  };
  const remember = (collection: string, document: string, { outbox }: Change<unknown>) => {
    for (const { metadata } of outbox)
      saved.set(metadata.id, { collection, document, at: sim.now() });
  };

  const linked = <S>(documents: Documents<S>): Documents<S> => ({
    name: documents.name,
    epoch: documents.epoch,
    load: (id) => read('load', () => documents.load(id)),
    save: (id, change, token) =>
      write('save', async () => {
        const document = await documents.save(id, change, token);
        remember(documents.name, id, change);
        return document;
      }),
    clear: (id, seqs) => write('clear', () => documents.clear(id, seqs)),
    owing: (limit) => read('owing', () => documents.owing(limit)),
    list: (query) => read('list', () => documents.list(query)),
    claimDue: (now, forMs, limit) => write('claim', () => documents.claimDue(now, forMs, limit)),
  });

  return {
    epoch: store.epoch,
    documents: (collection) => {
      const documents = linked(store.documents(collection));
      return defect.documents?.(documents, life, publish) ?? documents;
    },
    projection: (name) => {
      const projection = store.projection(name);
      return {
        append: (entries) => write('append', () => projection.append(entries as never)),
        read: (id, page) => read('read', () => projection.read(id, page)) as never,
        last: (id) => read('last', () => projection.last(id)) as never,
        forget: (id, upTo) => write('forget', () => projection.forget(id, upTo)),
      };
    },
    leases: {
      claim: (name, holder, forMs) => write('lease', () => store.leases.claim(name, holder, forMs)),
      release: (name, holder) => write('release', () => store.leases.release(name, holder)),
    },
    check: () => read('check', () => store.check()),
    close: () => store.close(),
  };
}
