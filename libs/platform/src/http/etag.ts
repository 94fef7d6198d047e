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

/** The version that a write demands: If-Match; 0 with `If-None-Match: *`, which wants there to be none. Thrown as `ifMatch`. */
export const expectedVersion = (request: WithHeaders, epoch: number): number | undefined =>
  request.headers['if-none-match'] === '*' ? 0 : ifMatch(request, epoch);

/** True if the client has this revision already, as If-None-Match says: then the answer is 304, without a body. */
export function isCurrent({ headers }: WithHeaders, revision: Revision): boolean {
  const known = String(headers['if-none-match'] ?? '').split(',');
  const etag = etagOf(revision);
  return known.some((each) => each.trim().replace(/^W\//, '') === etag);
}
