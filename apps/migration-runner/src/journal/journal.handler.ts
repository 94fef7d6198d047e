import type { Clock } from '@tidegate/kernel';
import type { Projection } from '@tidegate/store';
import { type Compression, pressed, zstd } from './images.ts';
import type { Journal, JournalMark, Journals, Keeping, Packing } from './journal.port.ts';
import type { Kept } from './kept.ts';
import { batchOf, type JournalRecord, opened, whole, type Whole } from './record.handler.ts';

/** What the next batch follows. */
interface Head {
  readonly place: number;
  /** Bytes and edits until and with `place`. */
  readonly total: number;
  readonly edits: number;
  /** Those of them that are forgotten, and those of the last batch. */
  readonly forgotten: number;
  readonly last: number;
  readonly hasBackup: boolean;
}

/** Of text; a record of the store may have twice as much. */
const PART_LENGTH = 4 * 1_048_576;
const MARKS_READ = 10_000;

interface Options {
  readonly clock: Clock;
  /** Of one migration, compressed. */
  readonly maxBytes: number;
  /** Default zstd. */
  readonly compression?: Compression;
}

export const createJournals = (records: Projection<JournalRecord>, options: Options): Journals => ({
  open: (migration, packing) => new StoredJournal(records, migration, packing, options),
});

/** Up to here everything was undone or forgotten. */
export const floorOf = (marks: readonly JournalMark[]): number =>
  Math.max(0, ...marks.filter(({ kind }) => REACHES_DOWN.has(kind)).map(({ place }) => place));

const REACHES_DOWN: ReadonlySet<JournalMark['kind']> = new Set(['reverted', 'forgotten']);

/** Runs that have undone what they did themselves: what they kept is of no use any more, wherever it lies. */
export const undoneRuns = (marks: readonly JournalMark[]): ReadonlySet<string> =>
  new Set(marks.filter(({ kind }) => kind === 'undone').map(({ run }) => run));

class StoredJournal implements Journal {
  readonly #records: Projection<JournalRecord>;
  readonly #id: string;
  /** No migration has such an id. */
  readonly #ofMarks: string;
  readonly #packing: Packing;
  readonly #clock: Clock;
  readonly #maxBytes: number;
  readonly #compression: Compression;
  #head: Head | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    records: Projection<JournalRecord>,
    migration: string,
    packing: Packing,
    { clock, maxBytes, compression = zstd }: Options,
  ) {
    this.#records = records;
    this.#id = migration;
    this.#ofMarks = `${migration}/marks`;
    this.#packing = packing;
    this.#clock = clock;
    this.#maxBytes = maxBytes;
    this.#compression = compression;
  }

  keep(keeping: Keeping): Promise<number | undefined> {
    // In the order in which they come, as each has the place after the one before.
    const mine = Promise.all([this.#pressed(keeping), this.#turn]).then(([texts]) =>
      this.#append(keeping, texts),
    );
    // What mine fails with is told to whoever keeps it; the one before may still be under way then.
    this.#turn = Promise.allSettled([this.#turn, mine]).then(() => undefined);
    return mine;
  }

  async #pressed({ images }: Keeping): Promise<readonly string[]> {
    return images ? pressed(this.#compression, this.#packing.pack(images), PART_LENGTH) : [];
  }

  async #append(keeping: Keeping, texts: readonly string[]): Promise<number | undefined> {
    const { run, fence, kind } = keeping;
    const head = await this.#known();
    const batch = batchOf(keeping, texts, head);
    if (batch.total - head.forgotten > this.#maxBytes) return undefined;
    const place = head.place + 1;
    this.#head = undefined; // not known should the next line fail
    await this.#records.append(
      [batch, ...texts.slice(1).map((text) => ({ images: text }))].map((record, part) => ({
        id: this.#id,
        version: place,
        key: `${run}/${fence}/${place}/${part}`,
        at: this.#clock.now(),
        record,
      })),
    );
    const hasBackup = head.hasBackup || kind === 'backup';
    this.#head = {
      ...head,
      place,
      total: batch.total,
      edits: batch.editsUntil,
      last: batch.bytes,
      hasBackup,
    };
    return place;
  }

  async top(): Promise<number> {
    return (await this.#known()).place;
  }

  async bytes(): Promise<number> {
    const { total, forgotten } = await this.#known();
    return total - forgotten;
  }

  async hasRoom(): Promise<boolean> {
    const { total, forgotten, last } = await this.#known();
    return total - forgotten + last <= this.#maxBytes;
  }

  async below(place: number, what?: 'edits'): Promise<readonly Kept[]> {
    const newest = await this.#newest(place);
    const by = { packing: this.#packing, compression: this.#compression };
    return Promise.all(
      newest.map((each) => opened(what === 'edits' ? { ...each, texts: [] } : each, by)),
    );
  }

  async editsAbove(place: number): Promise<number> {
    const { edits } = await this.#known();
    const [below] = await this.#newest(place + 1);
    if (below) return edits - below.batch.editsUntil;
    const [oldest] = whole(await this.#records.read(this.#id, { limit: 1 }));
    return oldest ? edits - oldest.batch.editsUntil + oldest.batch.edits.length : 0;
  }

  async marks(): Promise<readonly JournalMark[]> {
    const entries = await this.#records.read(this.#ofMarks, { limit: MARKS_READ });
    return entries.map(({ record }) => record as JournalMark);
  }

  async mark(mark: JournalMark): Promise<void> {
    const { kind, run, place } = mark;
    const entry = { id: this.#ofMarks, version: place, key: `${run}/${kind}` };
    await this.#records.append([{ ...entry, at: this.#clock.now(), record: mark }]);
  }

  async forget(place: number): Promise<void> {
    this.#head = undefined;
    await this.#records.forget(this.#id, place);
  }

  /** A batch of which a part is missing was never kept whole, so its documents were never written. */
  async #newest(below: number): Promise<readonly Whole[]> {
    for (let before = below; ;) {
      const entries = await this.#records.read(this.#id, { before, limit: 1 });
      const [entry] = entries;
      const found = whole(entries);
      if (!entry || found.length > 0) return found;
      before = entry.version;
    }
  }

  async #known(): Promise<Head> {
    return (this.#head ??= await this.#readHead());
  }

  async #readHead(): Promise<Head> {
    const floor = floorOf(await this.marks());
    const last = await this.#records.last(this.#id);
    const place = Math.max(last?.version ?? 0, floor);
    const [newest] = await this.#newest(Infinity);
    const [oldest] = whole(await this.#records.read(this.#id, { limit: 1 }));
    if (!newest) return { place, total: 0, edits: 0, forgotten: 0, last: 0, hasBackup: false };
    const { total, editsUntil: edits, bytes, kind, hasBackupBelow } = newest.batch;
    const hasBackup = newest.place > floor && (hasBackupBelow || kind === 'backup');
    const forgotten = oldest ? oldest.batch.total - oldest.batch.bytes : 0;
    return { place, total, edits, forgotten, last: bytes, hasBackup };
  }
}
