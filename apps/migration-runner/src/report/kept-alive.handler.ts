import type { Shift } from '../run/shift.handler.ts';
import type { Target } from '../target/target.port.ts';

/** A target that keeps the lease while it reads, however long that takes. */
export const keptAlive = (target: Target, { during }: Pick<Shift, 'during'>): Target => ({
  ...(target.documentLimit === undefined ? {} : { documentLimit: target.documentLimit }),
  hasColumns: target.hasColumns,
  schema: target.schema,
  keyOf: (...of) => target.keyOf(...of),
  write: (...of) => during(target.write(...of)),
  pack: (...of) => target.pack(...of),
  unpack: (...of) => target.unpack(...of),
  close: () => target.close(),
  server: () => during(target.server()),
  count: (...of) => during(target.count(...of)),
  page: (...of) => during(target.page(...of)),
  find: (...of) => during(target.find(...of)),
  readBy: (...of) => during(target.readBy(...of)),
  health: () => during(target.health()),
});
