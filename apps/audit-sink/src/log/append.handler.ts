import type { RawRecord } from '@tidegate/bus';
import { AppError, type Clock } from '@tidegate/kernel';
import type { Entry, Faults, Projection } from '@tidegate/store';
import type { AuditErrorCode } from '../errors.ts';
import type { Node } from '../tree/merkle.ts';
import { type Chunk, checkpointOf, replay, stateAt } from './chunk.ts';
import { emptyLog, extend, type LogState, runsOf } from './log.ts';
import { LOG, type Stored, storedNodes } from './stored.ts';

const RECORDS_PER_CHECKPOINT = 1_000;
const CHUNKS_PER_CHECKPOINT = 64;
const PAGE = 16;

/** Appends to the stored log. After a failure it reads the log again: what was written in spite of it is then known. */
export class LogAppender {
  readonly #stored: Projection<Stored>;
  readonly #clock: Clock;
  readonly #newSalt: () => string;
  readonly #onGaps: (gaps: number) => void;
  readonly #faults: Faults;
  #state: LogState | undefined;
  #sinceCheckpoint = { chunks: Infinity, records: Infinity };
  #turn: Promise<void> = Promise.resolve();

  constructor(options: {
    stored: Projection<Stored>;
    clock: Clock;
    newSalt: () => string;
    onGaps: (gaps: number) => void;
    faults: Faults;
  }) {
    this.#stored = options.stored;
    this.#clock = options.clock;
    this.#newSalt = options.newSalt;
    this.#onGaps = options.onGaps;
    this.#faults = options.faults;
  }

  /** The log as it stands; read from the store the first time. Thrown AUDIT_LOG_DAMAGED. */
  async state(): Promise<LogState> {
    this.#state ??= await this.#load();
    return this.#state;
  }

  /** Reads the log again before it is next used: another process may have written to it. */
  forget(): void {
    this.#state = undefined;
  }

  /** Resolves when the records are in the log, durably. Thrown AUDIT_LOG_MOVED_ON, and the store's codes. */
  append(records: readonly RawRecord[]): Promise<void> {
    const mine = this.#turn.then(async () => {
      for (const run of runsOf(records)) await this.#write(run);
    });
    this.#turn = mine.catch(() => this.forget()); // told to whoever asked
    return mine;
  }

  /** Appends lines that another copy of this log has, as they are; they follow what is in it. */
  adopt(lines: readonly string[]): Promise<void> {
    const mine = this.#turn.then(async () => {
      const before = await this.state();
      const nodes: Node[] = [];
      const state = lines.reduce(
        (sofar, line) => replay(sofar, line, (node) => nodes.push(node)),
        before,
      );
      await this.#put(before, lines, state, nodes);
    });
    this.#turn = mine.catch(() => this.forget()); // told to whoever asked
    return mine;
  }

  async #write(records: readonly RawRecord[]): Promise<void> {
    const before = await this.state();
    const { state, lines, gaps, nodes } = extend(before, records, this.#newSalt);
    if (lines.length === 0) return;
    await this.#put(before, lines, state, nodes);
    if (gaps > 0) this.#onGaps(gaps);
  }

  async #put(
    before: LogState,
    lines: readonly string[],
    state: LogState,
    nodes: readonly Node[],
  ): Promise<void> {
    const from = before.frontier.size;
    const document = `audit-log/${from}`;
    await this.#faults.at('append.received', document);
    const chunk: Chunk = { from, lines, ...this.#checkpoint(before) };
    const taken = await this.#stored.append([this.#entry(LOG, from, chunk)]);
    if (taken === 0) throw movedOn(from);
    await this.#faults.at('append.stored', document);
    await this.#keepNodes(nodes);
    await this.#faults.at('append.kept', document);
    this.#state = state;
    this.#sinceCheckpoint.chunks += 1;
    this.#sinceCheckpoint.records += lines.length;
  }

  #checkpoint(before: LogState): Pick<Chunk, 'checkpoint'> {
    const { chunks, records } = this.#sinceCheckpoint;
    if (chunks < CHUNKS_PER_CHECKPOINT && records < RECORDS_PER_CHECKPOINT) return {};
    this.#sinceCheckpoint = { chunks: 0, records: 0 };
    return { checkpoint: checkpointOf(before) };
  }

  async #keepNodes(nodes: readonly Node[]): Promise<void> {
    const entries = storedNodes(nodes).map(({ id, index, hash }) => this.#entry(id, index, hash));
    if (entries.length > 0) await this.#stored.append(entries);
  }

  #entry(id: string, version: number, record: Stored): Entry<Stored> {
    return { id, version, key: String(version), at: this.#clock.now(), record };
  }

  async #load(): Promise<LogState> {
    const chunks = await this.#chunksSinceCheckpoint();
    const [first] = chunks;
    const nodes: Node[] = [];
    let state = first?.checkpoint ? stateAt(first.from, first.checkpoint) : emptyLog;
    for (const { from, lines } of chunks) {
      if (from !== state.frontier.size) throw damaged(state.frontier.size, from);
      for (const line of lines) state = replay(state, line, (node) => nodes.push(node));
    }
    await this.#keepNodes(nodes); // the last ones may be missing after a crash
    this.#sinceCheckpoint = { chunks: Infinity, records: Infinity };
    return state;
  }

  /** The newest chunk with a checkpoint and all after it, oldest first. */
  async #chunksSinceCheckpoint(): Promise<readonly Chunk[]> {
    const newestFirst: Chunk[] = [];
    let before = Number.MAX_SAFE_INTEGER;
    for (;;) {
      const page = await this.#stored.read(LOG, { before, limit: PAGE });
      for (const { record, version } of page) {
        newestFirst.push(record as Chunk);
        if ((record as Chunk).checkpoint) return newestFirst.reverse();
        before = version;
      }
      if (page.length === 0) return newestFirst.reverse();
    }
  }
}

const movedOn = (position: number): AppError<AuditErrorCode> =>
  new AppError(
    'AUDIT_LOG_MOVED_ON',
    `Another writer has appended to the audit log at position ${position}.`,
    { retryable: true },
  );

const damaged = (expected: number, found: number): AppError<AuditErrorCode> =>
  new AppError(
    'AUDIT_LOG_DAMAGED',
    `The stored audit log goes on at position ${found} where ${expected} must stand.`,
  );
