import type { Clock } from '@tidegate/kernel';
import { MemoryDisk, under } from './disk.memory.ts';
import { MemoryDocuments } from './documents.memory.ts';
import { fencingToken } from './lease.ts';
import type { Leases } from './leases.port.ts';
import type { Entry, Projection } from './projection.port.ts';
import { stateText } from './size.ts';
import type { Store } from './store.port.ts';

/**
 * The store without I/O, as deterministic as its clock. A second one over the same disk is a restarted process,
 * or a replica beside it.
 */
export function memoryStore({
  clock,
  disk = new MemoryDisk(),
}: {
  clock: Clock;
  disk?: MemoryDisk;
}): Store & { readonly disk: MemoryDisk } {
  const { epoch } = disk;
  return {
    disk,
    epoch,
    documents: (collection) => new MemoryDocuments(disk, collection, epoch),
    projection: (name) => memoryProjection(disk, name),
    leases: memoryLeases(disk, clock, epoch),
    check: async () => {
      disk.reach();
    },
    close: async () => undefined,
  };
}

function memoryLeases(disk: MemoryDisk, clock: Clock, epoch: number): Leases {
  return {
    async claim(name, holder, forMs) {
      disk.reach();
      const now = clock.now();
      const lease = disk.leases.get(name);
      const isHeld = lease !== undefined && lease.until > now;
      if (isHeld && lease.holder !== holder) return undefined;
      const count = (lease?.count ?? 0) + (isHeld ? 0 : 1);
      disk.leases.set(name, { holder, until: now + forMs, count });
      return fencingToken(epoch, count);
    },
    async release(name, holder) {
      disk.reach();
      const lease = disk.leases.get(name);
      if (lease?.holder === holder) lease.until = 0;
    },
  };
}

function memoryProjection<R>(disk: MemoryDisk, name: string): Projection<R> {
  const all = under(disk.entries, name, () => []);
  const of = (id: string) =>
    all.filter((entry) => entry.id === id).sort((a, b) => a.version - b.version);
  const opened = (entry: Entry<string>): Entry<R> => ({
    ...entry,
    record: JSON.parse(entry.record) as R,
  });
  return {
    async append(entries) {
      const records = entries.map(({ id, record }) => stateText(`${name}/${id}`, record));
      disk.reach();
      const known = new Set(all.map(({ id, key }) => JSON.stringify([id, key])));
      const sizeBefore = all.length;
      entries.forEach((entry, place) => {
        const identity = JSON.stringify([entry.id, entry.key]);
        if (!known.has(identity)) all.push({ ...entry, record: records[place] ?? '' });
        known.add(identity);
      });
      return all.length - sizeBefore;
    },
    async read(id, { after = -Infinity, before, limit }) {
      disk.reach();
      const inOrder = of(id).filter(
        ({ version }) => version > after && version < (before ?? Infinity),
      );
      const entries = before === undefined ? inOrder : inOrder.reverse();
      const cut = entries[limit - 1]?.version;
      return entries.filter(({ version }, place) => place < limit || version === cut).map(opened);
    },
    async last(id) {
      disk.reach();
      const entry = of(id).at(-1);
      return entry && opened(entry);
    },
    async forget(id, upTo) {
      disk.reach();
      const kept = all.filter((entry) => entry.id !== id || entry.version > upTo);
      const forgotten = all.length - kept.length;
      kept.forEach((entry, place) => (all[place] = entry));
      all.length = kept.length;
      return forgotten;
    },
  };
}
