import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '@tidegate/kernel';
import type { GroupCommit } from './commit.sqlite.ts';
import { fencingToken } from './lease.ts';
import type { Leases } from './leases.port.ts';

export function sqliteLeases(
  database: DatabaseSync,
  commit: GroupCommit,
  clock: Clock,
  epoch: number,
): Leases {
  const find = database.prepare('SELECT holder, until, count FROM leases WHERE name = ?');
  const put = database.prepare(
    'INSERT OR REPLACE INTO leases (name, holder, until, count) VALUES (?, ?, ?, ?)',
  );
  const end = database.prepare('UPDATE leases SET until = 0 WHERE name = ? AND holder = ?');
  return {
    claim: (name, holder, forMs) =>
      commit.write(() => {
        const now = clock.now();
        const lease = find.get(name);
        const isHeld = lease !== undefined && Number(lease['until']) > now;
        if (isHeld && lease['holder'] !== holder) return undefined;
        const count = Number(lease?.['count'] ?? 0) + (isHeld ? 0 : 1);
        put.run(name, holder, now + forMs, count);
        return fencingToken(epoch, count);
      }),
    release: (name, holder) =>
      commit.write(() => {
        end.run(name, holder);
      }),
  };
}
