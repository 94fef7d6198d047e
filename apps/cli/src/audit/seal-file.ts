import { messageOf } from '@tidegate/kernel';
import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto';
import { z } from 'zod';

const seal = z.object({
  log: z.string(),
  size: z.int().min(1),
  root: z.string(),
  firstAt: z.int().optional(),
  lastAt: z.int().optional(),
  sealedAt: z.int(),
  keyId: z.string(),
  signature: z.string(),
});
export type Seal = z.output<typeof seal>;

const segment = z.object({
  file: z.string().regex(/^segments\/\d{15}-\d{15}\.ndjson\.gz$/),
  from: z.int().min(0),
  count: z.int().min(1),
  bytes: z.int().min(0),
  sha256: z.string(),
});
export type Segment = z.output<typeof segment>;

const sealFile = z.strictObject({
  v: z.literal(1),
  seal,
  peaks: z.array(z.base64()),
  segments: z.array(segment),
});
export type SealFile = z.output<typeof sealFile>;

/** Base64 in the one way there is to write these bytes. */
const isExact = (text: string): boolean => Buffer.from(text, 'base64').toString('base64') === text;

/** JSON with keys in order and no white space, as the file must be. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );

/** What a seal's file says, or why it cannot be read. Every byte of it counts. */
export function readSealFile(text: string): SealFile | { readonly unreadable: string } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return { unreadable: messageOf(error) };
  }
  const read = sealFile.safeParse(json);
  if (!read.success) return { unreadable: z.prettifyError(read.error) };
  const { seal, peaks } = read.data;
  const isAsWritten =
    `${canonical(json)}\n` === text && [seal.root, seal.signature, ...peaks].every(isExact);
  return isAsWritten ? read.data : { unreadable: 'it is not written as seals are' };
}

/** `ed25519:` and the first 16 hexadecimal digits of SHA-256 over the key in SPKI, DER. */
export function publicKey(pem: string): { readonly id: string; readonly key: KeyObject } {
  const key = createPublicKey(pem);
  if (key.asymmetricKeyType !== 'ed25519') throw new TypeError('it is not an Ed25519 key');
  const der = key.export({ type: 'spki', format: 'der' });
  return { id: `ed25519:${hash('sha256', der).slice(0, 16)}`, key };
}

/** True if the key signed the seal: the lines below, each ended by a line feed. */
export function isSigned(signed: Seal, key: KeyObject): boolean {
  const lines = [
    'tidegate-tree-head/v1',
    signed.log,
    signed.size,
    signed.root,
    signed.firstAt ?? '-',
    signed.lastAt ?? '-',
    signed.sealedAt,
    signed.keyId,
  ];
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  return verify(null, bytes, key, Buffer.from(signed.signature, 'base64'));
}
