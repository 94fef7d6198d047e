import type { Edit, Path, Row } from '@tidegate/migration';
import type { Key } from '../target/target.port.ts';
import { checksums } from './checksum.ts';

/** What documents that were changed alike have in common. */
export interface Shape {
  /** What was compared when they were written; left out: the whole document. */
  readonly compare?: readonly Path[];
  readonly changed: readonly Path[];
}

/** What is known of one document that a batch changes: enough to tell whether it is still as the batch made it. */
export interface KeptEdit {
  readonly key: Key;
  readonly shape: Shape;
  /** Checksums of what was compared, before the change and after it. */
  readonly before: string;
  readonly after: string;
}

/** Why a batch was kept: it is about to be written, or was only read, so that it can be put back later. */
export type KeptFor = 'execute' | 'backup';

/** The way back of one batch. */
export interface Kept {
  /** Where it stands in the journal; later ones have greater places. */
  readonly place: number;
  readonly at: number;
  readonly run: string;
  readonly definitionHash: string;
  readonly kind: KeptFor;
  /** Of the run, from 1: it is dealt with when the run has recorded so many. */
  readonly batch: number;
  readonly edits: readonly KeptEdit[];
  /** The documents as they were, in the order of `edits`; left out: none were kept. */
  readonly images?: readonly Row[];
  /** An older record of a backup may have images where this one has none. */
  readonly hasBackupBelow: boolean;
}

/** @param like of the edit before: most of a batch are of one shape */
export function keptEdit(key: Key, edit: Edit, like?: Shape): KeptEdit {
  const shape = like && isOf(like, edit) ? like : shapeOf(edit);
  const [before, after] = checksums(edit);
  return { key, shape, before, after };
}

const shapeOf = ({ compare, changes }: Edit): Shape => ({
  ...(compare ? { compare } : {}),
  changed: changes.map(({ path }) => path),
});

const isOf = (shape: Shape, { compare, changes }: Edit): boolean =>
  shape.compare === compare &&
  shape.changed.length === changes.length &&
  changes.every(({ path }, at) => isSame(path, shape.changed[at]));

const isSame = (a: Path, b: Path | undefined): boolean =>
  a.length === b?.length && a.every((name, at) => name === b[at]);

/** Edits as they are stored: shapes once, and of each document its key, the number of its shape and both checksums. */
export interface PackedEdits {
  readonly shapes: readonly Shape[];
  readonly edits: readonly (readonly [Key, number, string, string])[];
}

export function packEdits(edits: readonly KeptEdit[]): PackedEdits {
  const numbers = new Map<Shape | string, number>();
  const shapes: Shape[] = [];
  const numberOf = (shape: Shape): number => {
    const text = JSON.stringify(shape);
    const number = numbers.get(text) ?? shapes.push(shape) - 1;
    numbers.set(text, number).set(shape, number);
    return number;
  };
  const packed = edits.map(({ key, shape, before, after }) => {
    const number = numbers.get(shape) ?? numberOf(shape);
    return [key, number, before, after] as const;
  });
  return { shapes, edits: packed };
}

export const unpackEdits = ({ shapes, edits }: PackedEdits): readonly KeptEdit[] =>
  edits.map(([key, number, before, after]) => {
    const shape = shapes[number];
    if (!shape) throw new Error(`shape ${number} of ${shapes.length}`);
    return { key, shape, before, after };
  });
