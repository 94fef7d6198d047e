import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { isAppError } from '@tidegate/kernel';
import type { Seal } from '../seal/seal.ts';
import { FolderArchive } from './archive.file.ts';
import type { SealedRange } from './archive.port.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'archive-'));
});
afterEach(() => rm(folder, { recursive: true }));

const seal = (size: number): Seal => ({
  log: 'audit',
  size,
  root: `root of ${size}`,
  sealedAt: 1_790_000_000_000,
  keyId: 'ed25519:0011',
  signature: 'signature',
});
const range = (from: number, to: number): SealedRange => ({
  seal: seal(to),
  peaks: ['cGVhaw=='],
  from,
});
async function* linesOf(from: number, to: number): AsyncGenerator<string[]> {
  for (let n = from; n < to; n += 2)
    yield Array.from({ length: Math.min(2, to - n) }, (_, i) => `{"line":${n + i}}`);
}
const files = async () =>
  (await readdir(folder, { recursive: true })).filter((name) => name.includes('.')).sort();
const textOf = async (file: string) => gunzipSync(await readFile(join(folder, file))).toString();
const refusal = (work: Promise<unknown>, code: string) =>
  work.then(
    () => false,
    (error: unknown) => isAppError(error, code),
  );

const FIRST = 'segments/000000000000000-000000000000004.ndjson.gz';
const SECOND = 'segments/000000000000005-000000000000006.ndjson.gz';

describe('an archive', () => {
  it('has a segment for each sealed range, and beside it the seal with its digest', async () => {
    const archive = await FolderArchive.open(folder);
    await archive.addKey('ed25519:0011', 'public key');
    await archive.add(range(0, 5), linesOf(0, 5));
    await archive.add(range(5, 7), linesOf(5, 7));
    expect(await files()).toEqual([
      'keys/ed25519-0011.pem',
      'seals/000000000000005.json',
      'seals/000000000000007.json',
      FIRST,
      SECOND,
    ]);
    expect(await textOf(SECOND)).toBe('{"line":5}\n{"line":6}\n');
    const digest = JSON.parse(
      await readFile(join(folder, 'seals/000000000000007.json'), 'utf8'),
    ) as { segments: unknown[] };
    expect(digest).toMatchObject({ v: 1, seal: seal(7), peaks: ['cGVhaw=='] });
    const { size } = await stat(join(folder, SECOND));
    expect(digest.segments).toEqual([
      {
        file: SECOND,
        from: 5,
        count: 2,
        bytes: size,
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ]);
    expect(await archive.newest()).toEqual(seal(7));
  });

  it('cuts a long range into segments', async () => {
    const archive = await FolderArchive.open(folder);
    await archive.add(range(0, 20_001), linesOf(0, 20_001));
    expect((await files()).filter((name) => name.startsWith('segments'))).toEqual([
      'segments/000000000000000-000000000009999.ndjson.gz',
      'segments/000000000010000-000000000019999.ndjson.gz',
      'segments/000000000020000-000000000020000.ndjson.gz',
    ]);
  });

  it('is empty before the first seal', async () => {
    expect(await (await FolderArchive.open(folder)).newest()).toBeUndefined();
  });

  it('can be read by others of its group and written by nobody', async () => {
    await (await FolderArchive.open(folder)).add(range(0, 5), linesOf(0, 5));
    expect((await stat(join(folder, FIRST))).mode & 0o777).toBe(0o440);
  });
});

describe('an archive after a crash', () => {
  it('is rid of what was half-written', async () => {
    await FolderArchive.open(folder);
    await writeFile(join(folder, `${FIRST}.tmp`), 'half a seg');
    await FolderArchive.open(folder);
    expect(await files()).toEqual([]);
  });

  it('keeps a segment that was written before its seal', async () => {
    const archive = await FolderArchive.open(folder);
    await archive.add(range(0, 5), linesOf(0, 5));
    const before = await stat(join(folder, FIRST));
    await rm(join(folder, 'seals/000000000000005.json'));
    await archive.add(range(0, 5), linesOf(0, 5));
    expect((await stat(join(folder, FIRST))).ino).toBe(before.ino);
    expect(await archive.newest()).toEqual(seal(5));
  });

  it.each([
    ['says something else', gzipSync('{"line":0}\n')],
    ['is no segment at all', Buffer.from('nonsense')],
  ])('neither overwrites nor seals a segment that %s', async (_, bytes) => {
    const archive = await FolderArchive.open(folder);
    await writeFile(join(folder, FIRST), bytes);
    const failed = await refusal(archive.add(range(0, 5), linesOf(0, 5)), 'AUDIT_ARCHIVE_DIFFERS');
    expect(failed).toBe(true);
    expect(await readFile(join(folder, FIRST))).toEqual(bytes);
    expect(await files()).toEqual([FIRST]);
  });

  it('says so when its folder cannot be written', async () => {
    await writeFile(join(folder, 'file'), '');
    await chmod(join(folder, 'file'), 0o400);
    expect(await refusal(FolderArchive.open(join(folder, 'file')), 'AUDIT_ARCHIVE_FAILED')).toBe(
      true,
    );
  });
});
