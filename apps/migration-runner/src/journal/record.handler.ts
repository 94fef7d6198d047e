import type { Entry } from '@tidegate/store';
import { type Compression, unpressed } from './images.ts';
import type { JournalMark, Keeping, Packing } from './journal.port.ts';
import { type Kept, packEdits, type PackedEdits, unpackEdits } from './kept.ts';

/** The first entry of a place: everything but images that are too large for it. */
interface Batch extends PackedEdits {
  readonly run: string;
  readonly definitionHash: string;
  readonly kind: Kept['kind'];
  readonly batch: number;
  readonly images?: string;
  /** How many more entries, with the rest of the images. */
  readonly parts: number;
  /** Of this batch, and of all until and with it. */
  readonly bytes: number;
  readonly total: number;
  /** Edits of all until and with it. */
  readonly editsUntil: number;
  readonly hasBackupBelow: boolean;
}
interface Part {
  readonly images: string;
}
export type JournalRecord = Batch | Part | JournalMark;

/** A batch with all its parts. */
export interface Whole {
  readonly place: number;
  readonly at: number;
  readonly batch: Batch;
  /** Of its images. */
  readonly texts: readonly string[];
}

export function batchOf(
  { run, definitionHash, kind, batch, edits }: Keeping,
  texts: readonly string[],
  before: {
    readonly total: number;
    readonly edits: number;
    readonly hasBackup: boolean;
  },
): Batch {
  const packed = packEdits(edits);
  const bytes = [...texts, JSON.stringify(packed)].reduce((sum, text) => sum + text.length, 0);
  const [images] = texts;
  return {
    run,
    definitionHash,
    kind,
    batch,
    ...packed,
    ...(images === undefined ? {} : { images }),
    parts: Math.max(0, texts.length - 1),
    bytes,
    total: before.total + bytes,
    editsUntil: before.edits + edits.length,
    hasBackupBelow: before.hasBackup,
  };
}

/** The batches among the entries of one place. */
export function whole(entries: readonly Entry<JournalRecord>[]): readonly Whole[] {
  const byKey = new Map(entries.map(({ key, record }) => [key, record]));
  return entries.flatMap(({ version: place, at, key, record }) => {
    if (!('edits' in record)) return [];
    const rest = Array.from({ length: record.parts }, (_, part) =>
      byKey.get(key.replace(/0$/, String(part + 1))),
    );
    const texts = [record, ...rest].map((each) => (each as Part | undefined)?.images);
    if (rest.includes(undefined)) return [];
    return [{ place, at, batch: record, texts: texts.filter((text) => text !== undefined) }];
  });
}

export async function opened(
  { place, at, batch: stored, texts }: Whole,
  { packing, compression }: { packing: Packing; compression: Compression },
): Promise<Kept> {
  const { run, definitionHash, kind, batch, hasBackupBelow } = stored;
  return {
    place,
    at,
    run,
    definitionHash,
    kind,
    batch,
    edits: unpackEdits(stored),
    ...(texts.length === 0 ? {} : { images: packing.unpack(await unpressed(compression, texts)) }),
    hasBackupBelow,
  };
}
