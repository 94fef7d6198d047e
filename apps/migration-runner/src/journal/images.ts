import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
/** The fastest: this is done while a database waits. In the thread pool, as everything here. */
const FAST = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** Bytes, compressed, as texts of at most `length`. */
export async function pressed(bytes: Uint8Array, length: number): Promise<readonly string[]> {
  const text = (await compress(bytes, FAST)).toString('base64');
  const parts = Math.ceil(text.length / length);
  return Array.from({ length: parts }, (_, part) => text.slice(part * length, (part + 1) * length));
}

export const unpressed = (texts: readonly string[]): Promise<Uint8Array> =>
  decompress(Buffer.from(texts.join(''), 'base64'));
