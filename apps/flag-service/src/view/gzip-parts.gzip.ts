import { promisify } from 'node:util';
import { constants, crc32, deflateRaw } from 'node:zlib';

/*
 * A gzip stream (RFC 1952) out of parts that many readers share. After the head come deflate blocks (RFC 1951) that
 * end on a byte and refer to nothing before them, so that they may follow each other in any order: what is large is
 * compressed once, off the event loop; what is small and must not wait is stored as it is, for five bytes more.
 */

/** No name, no time, system unknown. */
export const GZIP_HEAD: Buffer = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);

const MOST_STORED = 0xff_ff;

/** Blocks that hold the bytes as they are. */
export function stored(bytes: Buffer): Buffer {
  const blocks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += MOST_STORED) {
    const piece = bytes.subarray(at, at + MOST_STORED);
    const head = Buffer.alloc(5);
    head.writeUInt16LE(piece.length, 1);
    head.writeUInt16LE(~piece.length & 0xff_ff, 3);
    blocks.push(head, piece);
  }
  return Buffer.concat(blocks);
}

const deflate = promisify(deflateRaw);

/** Blocks that hold the bytes compressed, made in another thread. */
export const deflated = async (bytes: Buffer): Promise<Buffer> =>
  deflate(bytes, { finishFlush: constants.Z_SYNC_FLUSH });

/** The end of a stream that holds these bytes and no others: an empty last block, their checksum and their number. */
export function gzipEnd(bytes: Buffer): Buffer {
  const end = Buffer.from([1, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]);
  end.writeUInt32LE(crc32(bytes), 5);
  end.writeUInt32LE(bytes.length % 2 ** 32, 9);
  return end;
}

/** Whether Accept-Encoding takes gzip. */
export const takesGzip = (header: string | string[] | undefined): boolean =>
  /(?:^|,)\s*(?:gzip|\*)\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))|,|$)/i.test(String(header ?? ''));
