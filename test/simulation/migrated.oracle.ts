import type { Evidence } from './evidence.ts';
import { Violation } from './sim.ts';

/** A part of promise 8, since a runner takes part anyway: no document is written twice. */
export function checkMigrated({ world }: Evidence): void {
  for (const [id, count] of world.table.written)
    if (count > 1) throw new Violation('P8', `order ${id} was written ${count} times`);
}
