import { canonicalJson } from '@tidegate/kernel';
import type { Seal } from '../seal/seal.ts';
import type { SealedRange } from './archive.port.ts';

/**
 * The folder of an archive:
 *
 *     keys/<key id>.pem                      public keys that seals are signed with
 *     segments/<first>-<last>.ndjson.gz      records, one line each (record/line.ts), ended by a line feed
 *     seals/<size>.json                      a seal, and the digest of the segments since the one before it
 *
 * Positions and sizes have 15 digits. A file is written under another name, synced, and then renamed: what has
 * its name is whole. A seal is the last of its range to be written.
 */
const digits = (position: number): string => String(position).padStart(15, '0');

export const segmentFile = (from: number, count: number): string =>
  `segments/${digits(from)}-${digits(from + count - 1)}.ndjson.gz`;
export const sealFile = (size: number): string => `seals/${digits(size)}.json`;
export const keyFile = (keyId: string): string => `keys/${keyId.replace(':', '-')}.pem`;

/** The size that a seal's file name says. */
export function sizeOfSealFile(name: string): number | undefined {
  const match = /^(\d{15})\.json$/.exec(name);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

/** Digest of one segment. */
export interface Segment {
  readonly file: string;
  readonly from: number;
  readonly count: number;
  /** Of the file. */
  readonly bytes: number;
  /** SHA-256 of the file, hexadecimal. */
  readonly sha256: string;
}

/** Canonical JSON of version, seal, peaks and digest, and a line feed. */
export const sealText = ({ seal, peaks }: SealedRange, segments: readonly Segment[]): string =>
  `${canonicalJson({ v: 1, seal, peaks, segments })}\n`;

/** The seal in such a file. */
export const sealIn = (text: string): Seal => (JSON.parse(text) as { seal: Seal }).seal;

/** The segments that such a file lists, in order. */
export const segmentsIn = (text: string): readonly Segment[] =>
  (JSON.parse(text) as { segments: readonly Segment[] }).segments;
