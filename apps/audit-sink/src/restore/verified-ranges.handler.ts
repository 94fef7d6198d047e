import { AppError } from '@tidegate/kernel';
import type { Archive, ArchivedRange } from '../archive/archive.port.ts';
import type { AuditErrorCode } from '../errors.ts';
import type { LogReader } from '../log/read.handler.ts';
import { isIntact } from '../record/intact.ts';
import { leafOf } from '../record/line.ts';
import type { Seal } from '../seal/seal.ts';
import { isSignedWith } from '../seal/signature.ts';
import { append, emptyFrontier, foldPeaks, type Frontier, root } from '../tree/merkle.ts';

export interface VerifiedRange {
  readonly seal: Seal;
  readonly from: number;
  /** To be read to the end: only then the seal is proven. Thrown AUDIT_ARCHIVE_DIFFERS. */
  readonly lines: AsyncIterable<readonly string[]>;
}

interface Parts {
  readonly archive: Pick<Archive, 'ranges' | 'key'>;
  readonly reader: Pick<LogReader, 'peaks'>;
}

/**
 * What the archive holds behind `size`, each record and each seal proven, and that it goes on where the stored log
 * ends: both have the same tree over what both have.
 * @param stored the stored log's frontier; it may be larger than `size`
 */
export async function* verifiedRanges(
  parts: Parts,
  size: number,
  stored: Frontier,
): AsyncGenerator<VerifiedRange> {
  let frontier: Frontier | undefined;
  for await (const range of parts.archive.ranges(size)) {
    const { seal, from } = range;
    await checkSignature(parts, seal);
    frontier ??= await beginning(parts, range, stored);
    if (frontier.size !== from) throw differs(`its records up to ${from} are not all there`);
    const proof = { frontier };
    yield { seal, from, lines: verifiedLines(range, stored, proof) };
    ({ frontier } = proof);
  }
}

/** The stored log's own tree where the first range begins. */
async function beginning(
  { reader }: Parts,
  { from, before }: ArchivedRange,
  stored: Frontier,
): Promise<Frontier> {
  if (!before) return emptyFrontier;
  const peaks = from <= stored.size ? await reader.peaks(from) : [];
  if (peaks.length === 0 || foldPeaks(peaks).toString('base64') !== before.root)
    throw differs(`its first ${from} records are not those of the stored log`);
  return { size: from, peaks };
}

async function* verifiedLines(
  { seal, lines }: ArchivedRange,
  stored: Frontier,
  proof: { frontier: Frontier },
): AsyncGenerator<readonly string[]> {
  for await (const some of lines()) {
    for (const line of some) {
      const { size } = proof.frontier;
      if (!isIntact(line, size)) throw differs(`its record at ${size} was changed`);
      proof.frontier = append(proof.frontier, leafOf(line));
      if (size + 1 === stored.size && !root(proof.frontier).equals(root(stored)))
        throw differs(`its first ${stored.size} records are not those of the stored log`);
    }
    yield some;
  }
  const { frontier } = proof;
  if (frontier.size !== seal.size || root(frontier).toString('base64') !== seal.root)
    throw differs(`its records up to ${seal.size} are not those that were sealed`);
}

async function checkSignature({ archive }: Parts, seal: Seal): Promise<void> {
  const pem = await archive.key(seal.keyId);
  if (pem === undefined || !isSignedWith(seal, pem))
    throw differs(`its seal of ${seal.size} records is not signed by ${seal.keyId}`);
}

const differs = (why: string): AppError<AuditErrorCode> =>
  new AppError(
    'AUDIT_ARCHIVE_DIFFERS',
    `The stored log cannot be completed from the archive: ${why}. "tidegate audit verify" tells more. Nothing was taken from it.`,
  );
