import { AppError } from '@tidegate/kernel';
import type { Entry, Projection } from '@tidegate/store';
import type { AuditErrorCode } from '../errors.ts';
import { leafOf } from '../record/line.ts';
import { foldPeaks } from '../tree/merkle.ts';
import { completeSpans, type Span } from '../tree/proof.ts';
import type { Chunk } from './chunk.ts';
import { LOG, nodesId, type Stored, storedLevel } from './stored.ts';

const PAGE = 16;

/** A line and where it stands. */
export interface Placed {
  readonly position: number;
  readonly line: string;
}

/** Reads the stored log; any number may, beside the one writer. */
export class LogReader {
  readonly #stored: Projection<Stored>;

  constructor(stored: Projection<Stored>) {
    this.#stored = stored;
  }

  /** How many records there are. */
  async size(): Promise<number> {
    const last = await this.#stored.last(LOG);
    if (!last) return 0;
    const { from, lines } = chunkOf(last);
    return from + lines.length;
  }

  async find(position: number): Promise<string | undefined> {
    const [entry] = await this.#stored.read(LOG, { before: position + 1, limit: 1 });
    if (!entry) return undefined;
    const { from, lines } = chunkOf(entry);
    return lines[position - from];
  }

  /** Those of the span, in order, a chunk at a time. Thrown AUDIT_LOG_DAMAGED when one is missing. */
  async *lines({ from, to }: Span): AsyncGenerator<readonly string[]> {
    let next = from;
    for await (const chunk of this.#chunksFrom(from)) {
      if (next >= to) return;
      if (chunk.from > next) break;
      const lines = chunk.lines.slice(next - chunk.from, to - chunk.from);
      next += lines.length;
      if (lines.length > 0) yield lines;
    }
    if (next < to)
      throw new AppError<AuditErrorCode>(
        'AUDIT_LOG_DAMAGED',
        `The stored audit log has no record at position ${next}, though ${to} are sealed.`,
      );
  }

  /** Newest first, those before the position. */
  async *newestFirst(before: number): AsyncGenerator<Placed> {
    let next = before;
    for (;;) {
      const page = await this.#stored.read(LOG, { before: next, limit: PAGE });
      for (const entry of page) {
        const { from, lines } = chunkOf(entry);
        for (let position = Math.min(before, from + lines.length) - 1; position >= from; position--)
          yield { position, line: lines[position - from] as string };
        next = from;
      }
      if (page.length === 0) return;
    }
  }

  /** Hash of the subtree over a span that a proof names. */
  async hashOf(span: Span): Promise<Buffer> {
    const peaks: Buffer[] = [];
    for (const complete of completeSpans(span)) peaks.push(await this.#completeHash(complete));
    return foldPeaks(peaks);
  }

  /** The hashes that a tree of this size is folded from, the largest subtree first. */
  async peaks(size: number): Promise<readonly Buffer[]> {
    const peaks: Buffer[] = [];
    for (const span of completeSpans({ from: 0, to: size }))
      peaks.push(await this.#completeHash(span));
    return peaks;
  }

  /** From at most 256 hashes of the nearest stored level below. */
  async #completeHash({ from, to }: Span): Promise<Buffer> {
    const level = storedLevel(Math.log2(to - from));
    const width = 2 ** level;
    let row =
      level === 0
        ? await this.#leaves({ from, to })
        : await this.#nodes(level, { from: from / width, to: to / width });
    while (row.length > 1)
      row = row.flatMap((hash, i) =>
        i % 2 === 0 ? [foldPeaks([hash, row[i + 1] as Buffer])] : [],
      );
    return row[0] as Buffer;
  }

  async #leaves(span: Span): Promise<readonly Buffer[]> {
    const leaves: Buffer[] = [];
    for await (const lines of this.lines(span)) leaves.push(...lines.map(leafOf));
    return leaves;
  }

  async #nodes(level: number, { from, to }: Span): Promise<readonly Buffer[]> {
    const entries = await this.#stored.read(nodesId(level), { after: from - 1, limit: to - from });
    if (entries.at(-1)?.version !== to - 1 || entries.length !== to - from)
      throw new AppError<AuditErrorCode>(
        'AUDIT_LOG_DAMAGED',
        `Stored subtrees of level ${level} are missing between ${from} and ${to}.`,
      );
    return entries.map(({ record }) => Buffer.from(record as string, 'base64'));
  }

  async *#chunksFrom(position: number): AsyncGenerator<Chunk> {
    const [holder] = await this.#stored.read(LOG, { before: position + 1, limit: 1 });
    let after = (holder?.version ?? 0) - 1;
    for (;;) {
      const page = await this.#stored.read(LOG, { after, limit: PAGE });
      for (const entry of page) yield chunkOf(entry);
      const last = page.at(-1);
      if (!last) return;
      after = last.version;
    }
  }
}

const chunkOf = ({ record }: Entry<Stored>): Chunk => record as Chunk;
