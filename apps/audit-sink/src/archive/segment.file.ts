import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { type Segment, segmentFile } from './layout.ts';
import { writeOnce } from './write-once.file.ts';

const MOST_RECORDS = 10_000;
const MOST_CHARACTERS = 16_000_000;
const BLOCK_LINES = 100;

/** The same lines, as many at a time as one segment takes. */
export async function* segmentsOf(
  lines: AsyncIterable<readonly string[]>,
): AsyncGenerator<readonly string[]> {
  let segment: string[] = [];
  let characters = 0;
  for await (const some of lines)
    for (const line of some) {
      segment.push(line);
      characters += line.length;
      if (segment.length < MOST_RECORDS && characters < MOST_CHARACTERS) continue;
      yield segment;
      segment = [];
      characters = 0;
    }
  if (segment.length > 0) yield segment;
}

/** Writes lines as the segment that begins at `from`. */
export async function writeSegment(
  folder: string,
  from: number,
  lines: readonly string[],
): Promise<Segment> {
  const file = segmentFile(from, lines.length);
  const path = join(folder, file);
  await writeOnce(
    path,
    (handle) =>
      pipeline(Readable.from(blocksOf(lines)), createGzip(), (compressed) =>
        handle.writeFile(compressed),
      ),
    () => saysTheSame(path, lines),
  );
  const { size: bytes } = await stat(path);
  const digest = createHash('sha256');
  for await (const chunk of createReadStream(path)) digest.update(chunk as Buffer);
  return { file, from, count: lines.length, bytes, sha256: digest.digest('hex') };
}

/** The lines of a segment's file, some at a time. */
export async function* linesOf(path: string): AsyncGenerator<readonly string[]> {
  let rest = '';
  const text = createReadStream(path).pipe(createGunzip()).setEncoding('utf8');
  for await (const part of text) {
    const lines = `${rest}${part as string}`.split('\n');
    rest = lines.pop() ?? '';
    if (lines.length > 0) yield lines;
  }
  if (rest !== '') yield [rest];
}

function* blocksOf(lines: readonly string[]): Generator<Buffer> {
  for (let i = 0; i < lines.length; i += BLOCK_LINES)
    yield Buffer.from(`${lines.slice(i, i + BLOCK_LINES).join('\n')}\n`);
}

async function saysTheSame(path: string, lines: readonly string[]): Promise<boolean> {
  const expected = createHash('sha256');
  for (const block of blocksOf(lines)) expected.update(block);
  const found = createHash('sha256');
  try {
    await pipeline(createReadStream(path), createGunzip(), async (text) => {
      for await (const chunk of text) found.update(chunk as Buffer);
    });
  } catch (error) {
    if (isDamage(error)) return false;
    throw error;
  }
  return found.digest('hex') === expected.digest('hex');
}

const isDamage = (error: unknown): boolean =>
  String((error as NodeJS.ErrnoException).code).startsWith('Z_');
