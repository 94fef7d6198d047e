import type { Clock, Ids, Random } from '@tidegate/kernel';
import type { Bus } from './bus.port.ts';
import { defaultPolicy, type DeliveryPolicy } from './delivery-policy.ts';
import { LogBus } from './log-bus.handler.ts';
import { SqliteLog } from './log.sqlite.ts';
import { systemTimer } from './system-timer.ts';
import type { Timer } from './timer.port.ts';

export interface EmbeddedBusOptions {
  /** The SQLite file; its folder is made if there is none. */
  readonly file: string;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Of the messages that the bus itself makes: dead letters and refusals. */
  readonly source: string;
  /** Of topic names in the file. Default `tidegate.` */
  readonly prefix?: string;
  readonly random?: Random;
  readonly timer?: Timer;
  readonly policy?: Partial<DeliveryPolicy>;
}

const CLEANED_EVERY_MS = 60_000;
const CLEANED_AT_ONCE = 500;

/**
 * A partitioned log in one SQLite file, for this process alone.
 * Thrown BUS_IN_USE, BUS_FORMAT_UNKNOWN, BUS_UNREACHABLE.
 */
export async function openEmbeddedBus(options: EmbeddedBusOptions): Promise<Bus> {
  return openSqliteBus(options).bus;
}

/** The same, with what only tests may touch. */
export function openSqliteBus({
  file,
  clock,
  ids,
  source,
  prefix = 'tidegate.',
  random = { next: Math.random },
  timer = systemTimer,
  policy = {},
}: EmbeddedBusOptions): { bus: LogBus; log: SqliteLog } {
  const log = new SqliteLog({ file, prefix, clock });
  const options = { log, clock, timer, random, ids, source };
  const bus = new LogBus({ ...options, policy: { ...defaultPolicy, ...policy } });
  cleanNowAndThen(log, clock, timer);
  return { bus, log };
}

/** A little at a time: what a turn removes must not keep the consumers waiting. */
function cleanNowAndThen(log: SqliteLog, clock: Clock, timer: Timer): void {
  const clean = (topics: readonly string[]): void => {
    const [topic, ...rest] = topics;
    if (log.isClosed) return;
    if (topic === undefined) {
      timer.after(CLEANED_EVERY_MS, () => {
        clean(log.topics());
      });
      return;
    }
    const removed = log.clean(topic, clock.now(), CLEANED_AT_ONCE);
    setImmediate(clean, removed >= CLEANED_AT_ONCE ? topics : rest);
  };
  clean([]);
}
