import type { Clock, Ids, Random } from '@tidegate/kernel';
import type { RawRecord } from './bus.port.ts';
import { defaultPolicy, type DeliveryPolicy } from './delivery-policy.ts';
import { LogBus } from './log-bus.handler.ts';
import { MemoryFile, MemoryLog } from './log.memory.ts';
import { systemTimer } from './system-timer.ts';
import type { Timer } from './timer.port.ts';

export interface MemoryBusOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  /** What survives a restart: give the same one to the next bus. */
  readonly file?: MemoryFile;
  readonly source?: string;
  readonly random?: Random;
  readonly timer?: Timer;
  readonly policy?: Partial<DeliveryPolicy>;
}

/** The bus as values: the same behaviour as the embedded one, no I/O, and deterministic. For specs. */
export class MemoryBus extends LogBus {
  readonly #log: MemoryLog;

  constructor({ clock, ids, file, source, random, timer, policy }: MemoryBusOptions) {
    const log = new MemoryLog(file ?? new MemoryFile(), clock);
    super({
      log,
      clock,
      ids,
      timer: timer ?? systemTimer,
      random: random ?? { next: () => 0.5 },
      source: source ?? 'bus',
      policy: { ...defaultPolicy, ...policy },
    });
    this.#log = log;
  }

  /** Resolves once nothing is left to handle, or what is left waits for its retry. */
  async idle(): Promise<void> {
    do await new Promise(setImmediate);
    while (this.readers().some((reader) => !reader.isIdle));
  }

  /** What stands in the topic now, partition by partition. */
  records(topic: string): readonly RawRecord[] {
    return Array.from({ length: this.#log.partitions(topic) }, (_, partition) =>
      this.#log.read(topic, partition, 0, Infinity, Infinity),
    ).flat();
  }

  get log(): MemoryLog {
    return this.#log;
  }
}

export const memoryBus = (options: MemoryBusOptions): MemoryBus => new MemoryBus(options);
