import { hash } from 'node:crypto';

/**
 * A line of a segment: `{"leaf":"<64 hex>","manifest":{…},"salt":"<32 hex>","content":{…}}`, where
 * leaf = SHA-256(0x00 ‖ manifest) and manifest.contentHash = SHA-256(salt ‖ content), both over the bytes as they
 * stand. Salt and content are null when the content is redacted, and for a gap, whose contentHash is null.
 */
export interface ReadLine {
  /** Of the tree, as the line says it. */
  readonly claimed: Buffer;
  /** The same, from the manifest. */
  readonly computed: Buffer;
  readonly manifest: LineManifest;
  readonly content: 'intact' | 'changed' | 'redacted' | 'none';
}

export interface LineManifest {
  readonly position: number;
  readonly kind: string;
  readonly contentHash: string | null;
  readonly origin: { topic: string; incarnation: number; partition: number; offset: string };
  readonly missing?: string | null;
}

const START = Buffer.from('{"leaf":"');
const MANIFEST = Buffer.from('","manifest":');
const SALT = Buffer.from(',"salt":');
const CONTENT = Buffer.from(',"content":');
const NULL = 'null';
const NULL_BYTES = Buffer.from(NULL);
const MANIFEST_AT = START.length + 64 + MANIFEST.length;
const CLOSING = 125; // }

let scratch = Buffer.alloc(64 * 1024);

/** What the line says, or undefined if it is not such a line. */
export function readLine(line: Buffer): ReadLine | undefined {
  const leaf = line.toString('latin1', START.length, START.length + 64);
  const saltAt = line.indexOf(SALT, MANIFEST_AT);
  const contentAt = line.indexOf(CONTENT, saltAt);
  const isShaped =
    line.subarray(0, START.length).equals(START) &&
    line.subarray(START.length + 64, MANIFEST_AT).equals(MANIFEST) &&
    /^[0-9a-f]{64}$/.test(leaf) &&
    saltAt > 0 &&
    contentAt > 0 &&
    line.at(-1) === CLOSING;
  if (!isShaped) return undefined;
  const manifest = manifestIn(line.toString('utf8', MANIFEST_AT, saltAt));
  if (!manifest) return undefined;
  const salt = line.toString('latin1', saltAt + SALT.length, contentAt);
  const content = line.subarray(contentAt + CONTENT.length, -1);
  return {
    claimed: Buffer.from(leaf, 'hex'),
    computed: leafHash(line.subarray(MANIFEST_AT, saltAt)),
    manifest,
    content: contentState(manifest, salt, content),
  };
}

function contentState(
  { contentHash }: LineManifest,
  salt: string,
  content: Buffer,
): ReadLine['content'] {
  if (salt === NULL && content.equals(NULL_BYTES))
    return contentHash === null ? 'none' : 'redacted';
  if (contentHash === null || !/^"[0-9a-f]{32}"$/.test(salt)) return 'changed';
  return saltedHash(salt.slice(1, -1), content) === contentHash ? 'intact' : 'changed';
}

function leafHash(manifest: Buffer): Buffer {
  const input = room(1 + manifest.length);
  input[0] = 0;
  manifest.copy(input, 1);
  return hash('sha256', input, 'buffer');
}

function saltedHash(salt: string, content: Buffer): string {
  const input = room(16 + content.length);
  input.write(salt, 'hex');
  content.copy(input, 16);
  return hash('sha256', input, 'base64');
}

/** Bytes to put the input of a hash into; the same ones each time. */
function room(length: number): Buffer {
  if (scratch.length < length) scratch = Buffer.alloc(length);
  return scratch.subarray(0, length);
}

function manifestIn(text: string): LineManifest | undefined {
  const value = parse(text);
  return isManifest(value) ? value : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // a line that cannot be read is what we look for: the caller names it
  }
}

function isManifest(value: unknown): value is LineManifest {
  const manifest = value as Partial<LineManifest> | null | undefined;
  const { topic, incarnation, partition, offset } = manifest?.origin ?? {};
  return (
    Number.isSafeInteger(manifest?.position) &&
    typeof manifest?.kind === 'string' &&
    (manifest.contentHash === null || typeof manifest.contentHash === 'string') &&
    typeof topic === 'string' &&
    Number.isSafeInteger(incarnation) &&
    Number.isSafeInteger(partition) &&
    isCount(offset) &&
    (manifest.missing === undefined || manifest.missing === null || isCount(manifest.missing))
  );
}

const isCount = (value: unknown): boolean => typeof value === 'string' && /^\d+$/.test(value);
