import type { mongo } from 'mongoose';
import type { Clock } from '@tidegate/kernel';
import type { Home } from './home.mongo.ts';
import { isDuplicateKey } from './failure.mongo.ts';
import { fencingToken } from './lease.ts';
import type { Leases } from './leases.port.ts';

export interface LeaseRow {
  readonly _id: string;
  readonly holder: string;
  readonly until: number;
  readonly count: number;
}

export function mongoLeases(
  { calls, epoch }: Home,
  rows: mongo.Collection<LeaseRow>,
  clock: Clock,
): Leases {
  /** The count that `holder` has it with; undefined when another holds it. */
  const claim = async (_id: string, holder: string, forMs: number): Promise<number | undefined> => {
    for (;;) {
      const now = clock.now();
      const lease = await rows.findOne({ _id });
      const isHeld = lease !== null && lease.until > now;
      if (isHeld && lease.holder !== holder) return undefined;
      const count = (lease?.count ?? 0) + (isHeld ? 0 : 1);
      const next = { holder, until: now + forMs, count };
      if (await put(rows, { _id, ...next }, lease)) return count;
    }
  };
  return {
    claim: (name, holder, forMs) =>
      calls.run(async () => {
        const count = await claim(name, holder, forMs);
        return count === undefined ? undefined : fencingToken(epoch, count);
      }),
    release: (name, holder) =>
      calls.run(async () => {
        await rows.updateOne({ _id: name, holder }, { $set: { until: 0 } });
      }),
  };
}

/** False if the lease is not as it was read. */
async function put(
  rows: mongo.Collection<LeaseRow>,
  { _id, ...next }: LeaseRow,
  read: LeaseRow | null,
): Promise<boolean> {
  if (read) {
    const { matchedCount } = await rows.updateOne({ ...read, _id }, { $set: next });
    return matchedCount > 0;
  }
  try {
    await rows.insertOne({ _id, ...next });
    return true;
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return false;
  }
}
