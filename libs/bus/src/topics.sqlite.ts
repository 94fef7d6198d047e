import type { Clock } from '@tidegate/kernel';
import { busError } from './errors.ts';
import type { LogFile } from './log-file.sqlite.ts';
import { Partition } from './partition.sqlite.ts';
import { definitionOfTopic } from './topic.ts';

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
    const first = this.#file.transaction(() => {
      const row = this.#file
        .prepare(
          'INSERT INTO topics SELECT ?, ?, coalesce(max(first + partitions), 0), ? FROM topics RETURNING first',
        )
        .get(this.#prefix + name, incarnation, partitions);
      const number = Number(row?.['first']);
      for (let index = 0; index < partitions; index += 1)
        this.#file.prepare(Partition.tableOf(number + index)).run();
      return number;
    });
    return this.#remember(name, { incarnation, first, partitions });
  }

  #remember(
    name: string,
    { incarnation, first, partitions }: { incarnation: number; first: number; partitions: number },
  ): Topic {
    const topic = {
      incarnation,
      partitions: Array.from(
        { length: partitions },
        (_, index) => new Partition(this.#file, first + index),
      ),
    };
    this.#byName.set(name, topic);
    return topic;
  }
}
