import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openEmbeddedBus } from '@tidegate/bus';
import {
  FlagChanged,
  FlagDisabled,
  type Message,
  type MessageDefinition,
  type OutgoingMessage,
} from '@tidegate/contracts';
import { onKafka } from './bus.kafka.ts';
import type { Bench } from './main.ts';

/** The subjects take turns, in slices so short that what else the machine does hits both alike. */
const SLICES = 60;
const WARM_UP_SLICES = 10;
const BATCHES = 10;
const BATCH = 100;
const SINGLES = 30;
const KEYS = 50;

/** Publishes durably, and hands every message, parsed and checked, to `consumed`. */
interface Subject {
  publish(messages: readonly OutgoingMessage[]): Promise<void>;
  close(): Promise<void>;
}
type Open = (file: string, definition: MessageDefinition, consumed: () => void) => Promise<Subject>;

let made = 0;
function message(definition: MessageDefinition): OutgoingMessage {
  made += 1;
  return {
    topic: definition.topic,
    type: definition.type,
    key: `production/flag-${made % KEYS}`,
    data: definition.example,
    metadata: {
      id: `m-${made}`,
      source: 'bench',
      at: Date.now(),
      actor: 'bench',
      correlationId: 'c-1',
    },
  };
}

const tidegate: Open = async (file, { topic, type }, consumed) => {
  const bus = await openEmbeddedBus({
    file,
    clock: { now: Date.now },
    ids: { next: () => `b-${made}` },
    source: 'bench',
  });
  await bus.subscribe({
    group: 'bench',
    topics: [topic],
    types: new Set([type]),
    handle: async () => {
      consumed();
    },
  });
  return { publish: bus.publish, close: () => bus.close() };
};

/** The same with the bare driver: same pragmas, a transaction for each publish, rows read in batches, parsed and checked. */
const bare: Open = async (file, { schema }, consumed) => {
  const database = new DatabaseSync(file);
  database.exec(`PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
    CREATE TABLE records (id INTEGER PRIMARY KEY, key TEXT, message TEXT);
    CREATE TABLE positions (grp TEXT PRIMARY KEY, next INTEGER)`);
  const insert = database.prepare('INSERT INTO records (key, message) VALUES (?, ?)');
  const read = database.prepare('SELECT id, message FROM records WHERE id > ? ORDER BY id LIMIT ?');
  read.setReturnArrays(true);
  const move = database.prepare('INSERT OR REPLACE INTO positions VALUES (?, ?)');
  const begin = database.prepare('BEGIN IMMEDIATE');
  const commit = database.prepare('COMMIT');
  let next = 0;
  return {
    async publish(messages) {
      begin.run();
      for (const each of messages) insert.run(each.key, JSON.stringify(each));
      move.run('bench', next);
      commit.run();
      for (const row of read.all(next, BATCH) as unknown as [number, string][]) {
        const parsed = JSON.parse(row[1]) as Message;
        const checked = schema.safeParse(parsed.data);
        if (!checked.success) throw new Error('A message of the bench is invalid.');
        next = row[0];
        consumed();
      }
    },
    close: async () => {
      database.close();
    },
  };
};

const embedded = { subjects: { tidegate, 'node:sqlite': bare }, close: async () => undefined };

/** One subject with its figures. */
class Runner {
  /** Messages a second, from the first publish of a slice until its last message is consumed. */
  readonly rates: number[] = [];
  /** Milliseconds from a publish to its message's arrival, one after another. */
  readonly waits: number[] = [];
  #left = 0;
  #allConsumed: () => void = () => undefined;
  readonly #definition: MessageDefinition;
  readonly #subject: Promise<Subject>;

  constructor(open: Open, file: string, definition: MessageDefinition) {
    this.#definition = definition;
    this.#subject = open(file, definition, () => {
      this.#left -= 1;
      if (this.#left === 0) this.#allConsumed();
    });
  }

  async slice(): Promise<void> {
    const batches = Array.from({ length: BATCHES }, () => this.#messages(BATCH));
    this.rates.push((BATCHES * BATCH * 1_000) / (await this.#time(batches)));
    for (let n = 0; n < SINGLES; n += 1) this.waits.push(await this.#time([this.#messages(1)]));
  }

  async close(): Promise<void> {
    await (await this.#subject).close();
  }

  #messages(count: number): OutgoingMessage[] {
    return Array.from({ length: count }, () => message(this.#definition));
  }

  async #time(batches: readonly OutgoingMessage[][]): Promise<number> {
    const subject = await this.#subject;
    this.#left = batches.flat().length;
    const consumed = new Promise<void>((resolve) => {
      this.#allConsumed = resolve;
    });
    const began = performance.now();
    for (const batch of batches) await subject.publish(batch);
    await consumed;
    const ms = performance.now() - began;
    await new Promise(setImmediate);
    return ms;
  }
}

const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * q)] ?? 0;
const rounded = (value: number) => Number(value.toPrecision(4));

/**
 * Publish and consume, beside the bare driver that does the same; figures are medians over the slices. With BUS=kafka on
 * a broker, else embedded.
 */
const bench: Bench = async (report) => {
  const { subjects, close } = process.env['BUS'] === 'kafka' ? await onKafka() : embedded;
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-bench-'));
  for (const definition of [FlagDisabled, FlagChanged] as const) {
    const runners = Object.entries<Open>(subjects).map(
      ([name, open]) =>
        [name, new Runner(open, join(folder, definition.type + name), definition)] as const,
    );
    for (let slice = 0; slice < WARM_UP_SLICES + SLICES; slice += 1)
      for (const [, runner] of runners) await runner.slice();
    const bytes = Buffer.byteLength(JSON.stringify(definition.example));
    const batches = `${definition.type}, ${bytes} bytes, batches of ${BATCH}`;
    const single = `${definition.type}, ${bytes} bytes, one at a time`;
    const medians: number[] = [];
    for (const [subject, runner] of runners) {
      const waits = runner.waits.slice(WARM_UP_SLICES * SINGLES);
      const rate = quantile(runner.rates.slice(WARM_UP_SLICES), 0.5);
      medians.push(rate);
      report({ case: batches, subject, value: rounded(rate), unit: 'messages/s' });
      report({ case: single, subject, value: rounded(quantile(waits, 0.5)), unit: 'ms p50' });
      report({ case: single, subject, value: rounded(quantile(waits, 0.99)), unit: 'ms p99' });
      await runner.close();
    }
    const [own = 0, peer = 0] = medians;
    const value = rounded(own / peer);
    report({ case: batches, subject: 'tidegate', value, unit: `of ${runners[1]?.[0]}` });
  }
  await rm(folder, { recursive: true });
  await close();
};
export default bench;
