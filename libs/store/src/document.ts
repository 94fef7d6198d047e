import { AppError } from '@tidegate/kernel';
import type { Collection, Index, Mark } from './documents.port.ts';
import type { StoreErrorCode } from './errors.ts';

const MARKS = 256;

/** What a document remembers after one more message: the last 256, oldest first. */
export const remember = (handled: readonly Mark[], mark: Mark | undefined): readonly Mark[] =>
  mark ? [...handled, mark].slice(-MARKS) : handled;

/** Marks up to this number, counted from 1 in one document, are forgotten once `newest` is written. */
export const forgottenUpTo = (newest: number): number => newest - MARKS;

/** Throws a TypeError when an older schema version has no way to the present one: a fault in the program. */
export function checkCollection(collection: Collection<never>): void {
  const { name, schemaVersion, upgrade } = collection;
  for (let version = 1; version < schemaVersion; version += 1)
    if (!upgrade?.[version])
      throw new TypeError(`The collection ${name} has no upgrade of schema version ${version}.`);
}

/** A stored state in the present schema version. Thrown STORE_SCHEMA_NEWER, or STORE_FAILED when an upgrade throws. */
export function upgraded<S>(
  { name, schemaVersion, upgrade }: Collection<S>,
  id: string,
  stored: unknown,
  storedVersion: number,
): S {
  if (storedVersion > schemaVersion)
    throw new AppError<StoreErrorCode>(
      'STORE_SCHEMA_NEWER',
      `${name}/${id} was written by a newer release (schema version ${storedVersion}, known up to ${schemaVersion}).`,
    );
  let state = stored;
  for (let version = storedVersion; version < schemaVersion; version += 1)
    try {
      state = upgrade?.[version]?.(state);
    } catch (cause) {
      throw new AppError<StoreErrorCode>(
        'STORE_FAILED',
        `${name}/${id} could not be upgraded from schema version ${version}.`,
        { cause },
      );
    }
  return state as S;
}

/** The declared fields that have a value. */
export const fieldsOf = (index: Index): Readonly<Record<string, string | number | boolean>> =>
  Object.fromEntries(
    Object.entries(index).filter((field): field is [string, string | number | boolean] => {
      const [, value] = field;
      return value !== undefined;
    }),
  );

export const storeMissing = (why: string): AppError<StoreErrorCode> =>
  new AppError('STORE_MISSING', `There is no store here. ${why}`);

export const versionConflict = (
  collection: string,
  id: string,
  expected: number,
  found: number,
): AppError<StoreErrorCode> =>
  new AppError(
    'STORE_VERSION_CONFLICT',
    `${collection}/${id} was saved by another writer: expected token ${expected}, found ${found}.`,
    { retryable: true, data: { collection, id, expected, found } },
  );
