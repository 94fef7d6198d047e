import { AppError, type Revision } from '@tidegate/kernel';

/** The strong ETag of a document: `"<epoch>.<version>"`. */
export const etagOf = ({ epoch, version }: Revision): string => `"${epoch}.${version}"`;

interface WithHeaders {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/**
 * The version that the header If-Match demands; undefined without the header.
 * Thrown IF_MATCH_MALFORMED when it is not one ETag of ours; IF_MATCH_STALE when it is of another epoch of the store.
 */
export function ifMatch({ headers }: WithHeaders, epoch: number): number | undefined {
  const header = headers['if-match'];
  if (header === undefined) return undefined;
  const match = /^\s*"(\d+)\.(\d+)"\s*$/.exec(String(header));
  if (!match)
    throw new AppError(
      'IF_MATCH_MALFORMED',
      'If-Match must be one ETag as it was answered, "1.7".',
    );
  if (Number(match[1]) !== epoch)
    throw new AppError('IF_MATCH_STALE', 'The ETag is from before the store was restored.');
  return Number(match[2]);
}
