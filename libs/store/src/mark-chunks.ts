import { forgottenUpTo } from './document.ts';
import type { Mark } from './documents.port.ts';

/** Marks in one chunk: a save rewrites the newest chunk, so small; a document has 256 / 32 + 1 of them, so few. */
const SIZE = 32;

/** Marks are counted from 1 in one document; chunk n holds those from 32n + 1 on, as JSON. */
const chunkOf = (number: number): number => Math.floor((number - 1) / SIZE);

export interface ChunkChange {
  readonly put: readonly [chunk: string, text: string];
  /** The chunk whose last mark is forgotten now. */
  readonly drop: string | undefined;
}

/**
 * What one more mark changes.
 * @param handled the last 256 marks, the new one with them.
 * @param newest its number.
 */
export function withNewest(handled: readonly Mark[], newest: number): ChunkChange {
  const chunk = chunkOf(newest);
  const text = JSON.stringify(handled.slice(-(newest - chunk * SIZE)));
  const forgotten = forgottenUpTo(newest);
  const ends = forgotten > 0 && forgotten % SIZE === 0;
  return { put: [String(chunk), text], drop: ends ? String(chunkOf(forgotten)) : undefined };
}

/** The last 256, oldest first. */
export function marksOf(chunks: Readonly<Record<string, string>>, newest: number): readonly Mark[] {
  const marks = Object.keys(chunks)
    .toSorted((a, b) => Number(a) - Number(b))
    .flatMap((chunk) => JSON.parse(chunks[chunk] ?? '[]') as Mark[]);
  const count = newest - Math.max(forgottenUpTo(newest), 0);
  return count === 0 ? [] : marks.slice(-count);
}
