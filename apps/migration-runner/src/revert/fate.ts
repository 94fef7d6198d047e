import {
  applyDown,
  type Edit,
  matches,
  type Migration,
  restore,
  type Row,
  transform,
} from '@tidegate/migration';
import { checksum } from '../journal/checksum.ts';
import type { KeptEdit } from '../journal/kept.ts';

/** What is known of one document that a migration has, or was about to have, changed. */
export interface Case {
  readonly edit: KeptEdit;
  /** The document as it was; undefined: it was not kept. */
  readonly image: Row | undefined;
  /** An older record may have what this one has not. */
  readonly hasBackupBelow: boolean;
  /** The document as it is; undefined: it is gone. */
  readonly now: Row | undefined;
}

export type Fate =
  /** It is as it was before, or pending for another reason: nothing is to be done. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'put-back'; readonly by: 'image' | 'down'; readonly edit: Edit }
  /** Its image may be further down. */
  | { readonly kind: 'further' }
  | { readonly kind: 'listed'; readonly code: ListedCode; readonly message: string };

/** Why a document cannot be put back. */
export type ListedCode =
  | 'MIGRATION_DOCUMENT_GONE' // somebody deleted it
  | 'MIGRATION_DOCUMENT_EDITED' // somebody edited it, and down does not undo what is there now
  | 'MIGRATION_NO_WAY_BACK'; // it is as up left it, but no image was kept, and down does not undo it

/** The first line that applies decides. */
export function fateOf(migration: Migration, { edit, image, hasBackupBelow, now }: Case): Fate {
  if (!now) return listed('MIGRATION_DOCUMENT_GONE', 'It was deleted.');
  const sum = checksum(now, edit.shape.compare);
  if (sum === edit.after && image) return fromImage(edit, image, now);
  // A checksum does not know "1" from 1: where only a type was converted, it is the same before and after.
  const isAsBefore = sum === edit.before && edit.before !== edit.after;
  if (isAsBefore || matches(migration.pending, now)) return { kind: 'unchanged' };
  const isOurs = sum === edit.after;
  const down = applyDown(migration, now);
  if (down.kind === 'changed') return { kind: 'put-back', by: 'down', edit: down };
  if (down.kind === 'unchanged') return { kind: 'unchanged' };
  if (image && isUntouchedWhereChanged(migration, edit, image, now))
    return fromImage(edit, image, now);
  if (!image && hasBackupBelow) return { kind: 'further' };
  return isOurs
    ? listed('MIGRATION_NO_WAY_BACK', `No before-image was kept. ${down.message}`)
    : listed('MIGRATION_DOCUMENT_EDITED', `It was edited since. ${down.message}`);
}

/**
 * Where a migration does not say what it reads, any edit makes the document another one, also one that the database itself
 * makes, such as the time of the last write. What the migration changed may still be as it left it.
 */
function isUntouchedWhereChanged(
  migration: Migration,
  { shape: { compare, changed }, after }: KeptEdit,
  image: Row,
  now: Row,
): boolean {
  if (compare) return false;
  const made = transform(migration, image);
  if (made.kind !== 'changed' || checksum(made.after, undefined) !== after) return false;
  return checksum(made.after, changed) === checksum(now, changed);
}

/** What the migration did not change stays as it is now. */
function fromImage({ shape }: KeptEdit, image: Row, now: Row): Fate {
  const edit = restore(now, image, shape.changed, shape.compare);
  return edit.changes.length === 0
    ? { kind: 'unchanged' }
    : { kind: 'put-back', by: 'image', edit };
}

const listed = (code: ListedCode, message: string): Fate => ({ kind: 'listed', code, message });
