import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';

export interface Compression {
  compress(bytes: Uint8Array): Promise<Uint8Array>;
  decompress(bytes: Uint8Array): Promise<Uint8Array>;
}

/** The fastest: this is done while a database waits. */
const FAST = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
const compress = promisify(zstdCompress);

/** In the thread pool. */
export const zstd: Compression = {
  compress: (bytes) => compress(bytes, FAST),
  decompress: promisify(zstdDecompress),
};

/** Bytes, compressed, as texts of at most `length`. */
export async function pressed(
  { compress: compressed }: Compression,
  bytes: Uint8Array,
  length: number,
): Promise<readonly string[]> {
  const { buffer, byteOffset, byteLength } = await compressed(bytes);
  const text = Buffer.from(buffer, byteOffset, byteLength).toString('base64');
  const parts = Math.ceil(text.length / length);
  return Array.from({ length: parts }, (_, part) => text.slice(part * length, (part + 1) * length));
}

export const unpressed = (
  { decompress }: Compression,
  texts: readonly string[],
): Promise<Uint8Array> => decompress(Buffer.from(texts.join(''), 'base64'));
