import type { Clock } from '@tidegate/kernel';
import { busError } from './errors.ts';
import type { LogFile } from './log-file.sqlite.ts';
import { definitionOfTopic } from './topic.ts';

/** Offsets below 2^40 and partition numbers below 2^13 make record ids that are exact in a double. */
const OFFSETS = 2 ** 40;

export interface Partition {
  /** Unique in the file; part of each record's id. */
  readonly number: number;
  /** The id of its offset 0. */
  readonly firstId: number;
  /** The id after its last possible one. */
  readonly lastId: number;
  /** The offset that the next record gets. */
  end: number;
  readonly listeners: Set<() => void>;
}

export interface Topic {
  readonly incarnation: number;
  readonly partitions: readonly Partition[];
}

/** The topics of a file. Names are without the prefix that they have in it. */
export class Topics {
  readonly #byName = new Map<string, Topic>();
  readonly #file: LogFile;
  readonly #prefix: string;
  readonly #clock: Clock;

  constructor(file: LogFile, prefix: string, clock: Clock) {
    this.#file = file;
    this.#prefix = prefix;
    this.#clock = clock;
    const rows = file.prepare('SELECT name, incarnation, first, partitions FROM topics').all();
    for (const { name, incarnation, first, partitions } of rows)
      if (String(name).startsWith(prefix))
        this.#remember(String(name).slice(prefix.length), {
          incarnation: Number(incarnation),
          first: Number(first),
          partitions: Number(partitions),
        });
  }

  names(): readonly string[] {
    return [...this.#byName.keys()];
  }

  /** Makes the topic when it is first named. Thrown BUS_TOPIC_UNKNOWN. */
  get(name: string): Topic {
    return this.#byName.get(name) ?? this.#make(name);
  }

  partition(topic: string, index: number): Partition {
    const partition = this.get(topic).partitions[index];
    if (!partition) throw new RangeError(`${topic} has no partition ${index}.`);
    return partition;
  }

  /** The incarnation is the second in which the topic was made, so it grows also when the file is made anew. */
  #make(name: string): Topic {
    const definition = definitionOfTopic(name);
    if (!definition) throw busError('BUS_TOPIC_UNKNOWN', `There is no topic ${name}.`);
    const { partitions } = definition;
    const incarnation = Math.max(1, Math.floor(this.#clock.now() / 1_000));
    const row = this.#file.transaction(() =>
      this.#file
        .prepare(
          'INSERT INTO topics SELECT ?, ?, coalesce(max(first + partitions), 0), ? FROM topics RETURNING first',
        )
        .get(this.#prefix + name, incarnation, partitions),
    );
    return this.#remember(name, { incarnation, first: Number(row?.['first']), partitions });
  }

  #remember(
    name: string,
    { incarnation, first, partitions }: { incarnation: number; first: number; partitions: number },
  ): Topic {
    const newest = this.#file.prepare('SELECT max(id) AS id FROM records WHERE id >= ? AND id < ?');
    const partition = (number: number): Partition => {
      const firstId = number * OFFSETS;
      const lastId = firstId + OFFSETS;
      const id = newest.get(firstId, lastId)?.['id'];
      const end = typeof id === 'number' ? id - firstId + 1 : 0;
      return { number, firstId, lastId, end, listeners: new Set() };
    };
    const topic = {
      incarnation,
      partitions: Array.from({ length: partitions }, (_, index) => partition(first + index)),
    };
    this.#byName.set(name, topic);
    return topic;
  }
}
