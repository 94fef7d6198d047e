import { canonicalJson } from '@tidegate/kernel';
import { hash } from 'node:crypto';
import { leafHash } from '../tree/merkle.ts';
import type { Content, Manifest } from './manifest.ts';

/**
 * One record as the log and the archive keep it: JSON on one line, with every byte covered.
 *
 *     {"leaf":"<hex>","manifest":{…},"salt":"<hex>","content":{…}}
 *
 *     leaf      SHA-256(0x00 ‖ manifest as it stands here): the leaf of the tree. It proves nothing by
 *               itself; when a root does not hold, it tells which of the lines was changed
 *     manifest  canonical JSON, see manifest.ts
 *     salt      16 random bytes, so that a short content cannot be guessed from its hash
 *     content   JSON, see manifest.ts; manifest.contentHash = SHA-256(salt ‖ content as it stands here)
 *
 * Redacted: salt and content are null, manifest and leaf stay. A gap never had them.
 */
export interface Line {
  readonly text: string;
  readonly leaf: Buffer;
}

const LEAF_START = '{"leaf":"'.length;
const LEAF_HEX = 64;

/** @param salt 32 hexadecimal digits */
export function contentHash(salt: string, contentText: string): string {
  const salted = Buffer.concat([Buffer.from(salt, 'hex'), Buffer.from(contentText)]);
  return hash('sha256', salted, 'base64');
}

export function lineOf(
  manifest: Manifest,
  salted: { salt: string; contentText: string } | null,
): Line {
  const text = canonicalJson(manifest);
  const leaf = leafHash(text);
  const salt = salted === null ? 'null' : `"${salted.salt}"`;
  const content = salted === null ? 'null' : salted.contentText;
  return {
    leaf,
    text: `{"leaf":"${leaf.toString('hex')}","manifest":${text},"salt":${salt},"content":${content}}`,
  };
}

export const leafOf = (line: string): Buffer =>
  Buffer.from(line.slice(LEAF_START, LEAF_START + LEAF_HEX), 'hex');

/** A record as people and programs read it. `content` is null for a gap, and when it is redacted. */
export interface AuditRecord {
  readonly leaf: string;
  readonly manifest: Manifest;
  readonly salt: string | null;
  readonly content: Content | null;
}

export const recordOf = (line: string): AuditRecord => JSON.parse(line) as AuditRecord;
