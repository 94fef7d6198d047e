import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { constants, createGunzip } from 'node:zlib';

export interface SegmentRead {
  readonly bytes: number;
  /** Of the file, hexadecimal. */
  readonly sha256: string;
  /** Why it could not be read to its end. */
  readonly damage?: string;
}

const LINE_FEED = 10;
const LONGEST_LINE = 32 * 1_048_576;

/**
 * Decompresses a segment and hands out its lines, without the line feeds, in constant memory. Of a damaged file it
 * hands out what can still be read. Rejects when there is no such file.
 */
export async function readSegment(
  path: string,
  onLine: (line: Buffer) => void,
): Promise<SegmentRead> {
  const digest = createHash('sha256');
  let bytes = 0;
  const lines = new Lines(onLine);
  // With a sync flush, what a cut file still holds comes out before its end is found missing.
  const gunzip = createGunzip({ chunkSize: 256 * 1024, finishFlush: constants.Z_SYNC_FLUSH });
  gunzip.on('data', (chunk: Buffer) => {
    try {
      lines.push(chunk);
    } catch (error) {
      gunzip.destroy(error as Error);
    }
  });
  let damage: string | undefined;
  try {
    await pipeline(
      createReadStream(path, { highWaterMark: 256 * 1024 }),
      async function* (file: AsyncIterable<Buffer>) {
        for await (const chunk of file) {
          digest.update(chunk);
          bytes += chunk.length;
          yield chunk;
        }
      },
      gunzip,
    );
  } catch (error) {
    if (!isDamage(error)) throw error;
    damage = (error as Error).message;
  }
  damage ??= lines.damage;
  return { bytes, sha256: digest.digest('hex'), ...(damage === undefined ? {} : { damage }) };
}

const isDamage = (error: unknown): boolean =>
  String((error as NodeJS.ErrnoException).code).startsWith('Z_');

/** Cuts what comes into lines. */
class Lines {
  readonly #onLine: (line: Buffer) => void;
  #begun: Buffer[] = [];
  #begunBytes = 0;

  constructor(onLine: (line: Buffer) => void) {
    this.#onLine = onLine;
  }

  get damage(): string | undefined {
    if (this.#begunBytes === 0) return undefined;
    return this.#begunBytes > LONGEST_LINE ? 'a line has no end' : 'it ends within a line';
  }

  push(chunk: Buffer): void {
    let from = 0;
    for (;;) {
      const end = chunk.indexOf(LINE_FEED, from);
      if (end === -1) break;
      const part = chunk.subarray(from, end);
      this.#onLine(this.#begunBytes === 0 ? part : Buffer.concat([...this.#begun, part]));
      this.#begun = [];
      this.#begunBytes = 0;
      from = end + 1;
    }
    if (from === chunk.length) return;
    this.#begunBytes += chunk.length - from;
    if (this.#begunBytes <= LONGEST_LINE) this.#begun.push(chunk.subarray(from));
  }
}
