import { generateKeyPairSync, hash, sign } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { auditSink } from '@tidegate/audit-sink';
import { catalogue, definitionOf, type OutgoingMessage, topics } from '@tidegate/contracts';
import { eventually } from '@tidegate/kernel/testing';
import { startTestService, type TestService } from '@tidegate/platform/testing';
import { verifyArchive } from '../../apps/cli/src/audit/verify.ts';

const audited = catalogue.filter(({ topic }) => topics[topic].audited);
const BATCH = 120;
const SEALS = 3;
const RECORDS = BATCH * SEALS;

let sent = 0;
function messages(count: number): OutgoingMessage[] {
  return Array.from({ length: count }, () => {
    const { type, example, key, schema, topic } = audited[sent % audited.length]!;
    const data = schema.parse(example);
    const metadata = {
      id: `m-${(sent += 1)}`,
      source: 'specs',
      at: 1_790_000_000_000 + sent,
      actor: 'ada',
      correlationId: 'c',
    };
    return { type, topic, key: key(data), data, metadata };
  });
}

/** What its reader cannot decode: the data is not of the type's form. */
const undecodable = (): OutgoingMessage => ({ ...messages(1)[0]!, data: { nonsense: true } });

let made: string;
let folder: string;

async function run(publish: (service: TestService) => Promise<void>): Promise<void> {
  await using service = await startTestService(auditSink, {
    drivers: 'sqlite',
    env: { DATA_DIR: made },
  });
  const { bus } = service.context;
  await eventually(async () => (await bus.lag()).some(({ group }) => group === 'audit-sink'));
  await publish(service);
}

const seal = async (service: TestService) => {
  const { body } = await service.post<{ waiting: number }>('/v1/seals?drainMs=5000');
  expect(body.waiting).toBe(0);
};

beforeAll(async () => {
  expect(definitionOf('DisableFlag')).toBeDefined();
  made = await mkdtemp(join(tmpdir(), 'audit-made-'));
  await run(async (service) => {
    await service.context.bus.publish(messages(BATCH - 1));
    await service.context.bus.publish([undecodable()]);
    await seal(service);
    await service.context.bus.publish(messages(BATCH));
  }); // stopping seals the second range
  await run(async (service) => {
    await service.context.bus.publish(messages(BATCH));
    await seal(service);
  });
}, 30_000);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'audit-archive-'));
  await cp(join(made, 'audit/archive'), folder, { recursive: true });
});
afterAll(() => rm(made, { recursive: true }));

const verified = (options: Parameters<typeof verifyArchive>[1] = {}) =>
  verifyArchive(folder, options);
const named = async (options: Parameters<typeof verifyArchive>[1] = {}) =>
  (await verified(options)).problems.map(({ kind, position, to }) =>
    [kind, position, ...(to === undefined ? [] : [to])].join(' '),
  );
const filesIn = async (part: string) => (await readdir(join(folder, part))).sort();

interface Digest {
  seal: Record<string, unknown> & { size: number; root: string };
  peaks: string[];
  segments: { file: string; count: number; bytes: number; sha256: string }[];
}
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );

async function editSeal(index: number, edit: (digest: Digest) => Digest): Promise<void> {
  const path = join(folder, 'seals', (await filesIn('seals'))[index]!);
  const digest = JSON.parse(await readFile(path, 'utf8')) as Digest;
  await writeFile(path, `${canonical(edit(digest))}\n`);
}

/** Edits the lines of one range as someone would who knows the format: digests are made to fit. */
async function editLines(range: number, edit: (lines: string[]) => string[]): Promise<void> {
  const file = `segments/${(await filesIn('segments'))[range]!}`;
  const lines = gunzipSync(await readFile(join(folder, file)))
    .toString()
    .trimEnd()
    .split('\n');
  const bytes = gzipSync(`${edit(lines).join('\n')}\n`);
  await writeFile(join(folder, file), bytes);
  await editSeal(range, (digest) => ({
    ...digest,
    segments: digest.segments.map((segment) => ({
      ...segment,
      bytes: bytes.length,
      sha256: hash('sha256', bytes),
    })),
  }));
}

const editLine = (position: number, edit: (line: string) => string) =>
  editLines(Math.floor(position / BATCH), (lines) =>
    lines.with(position % BATCH, edit(lines[position % BATCH]!)),
  );

const withLeaf = (line: string): string => {
  const manifest = /"manifest":(.*),"salt":/.exec(line)![1]!;
  return line.replace(/^\{"leaf":"[0-9a-f]{64}"/, `{"leaf":"${hash('sha256', `\0${manifest}`)}"`);
};

describe('an archive that is as it was written', () => {
  it('is proven, across restarts, with what nobody could decode', async () => {
    const report = await verified();
    expect(report).toMatchObject({
      proven: true,
      records: RECORDS,
      seals: SEALS,
      segments: SEALS,
      gaps: 0,
      redacted: 0,
      keyPinned: false,
      problems: [],
    });
  });

  it('is proven with the key given, and holds the seals that were published', async () => {
    const key = join(folder, 'keys', (await filesIn('keys'))[0]!);
    const { newest } = await verified();
    const expectSeal = `${newest?.root}:${newest?.size}`;
    expect(await verified({ keyFiles: [key], expectSeal })).toMatchObject({
      proven: true,
      keyPinned: true,
      sealExpected: true,
    });
  });

  it('is proven when content was redacted, and says how much', async () => {
    const redact = (line: string) => line.replace(/,"salt":.*$/, ',"salt":null,"content":null}');
    await editLine(7, redact);
    await editLine(200, redact);
    expect(await verified()).toMatchObject({ proven: true, redacted: 2 });
  });

  it('is proven up to its last seal while a segment after it has none', async () => {
    await writeFile(join(folder, 'segments/000000000000360-000000000000361.ndjson.gz'), 'unsealed');
    expect(await verified()).toMatchObject({ proven: true, unsealedFiles: 1 });
  });
});

/** A character that is not the one that was there. */
const another = (character: string): string => (character === '0' ? '1' : '0');

describe('a record that is not what it was', () => {
  it('is named when its content was changed', async () => {
    await editLine(17, (line) => line.replace('"ce_actor":"ada"', '"ce_actor":"eve"'));
    expect(await named()).toEqual(['record-changed 17']);
  });

  it('is named when its manifest was changed', async () => {
    await editLine(130, (line) => line.replace('"who":"ada"', '"who":"eve"'));
    expect(await named()).toEqual(['record-changed 130']);
  });

  it('is named when its leaf hash, its salt or its position was changed', async () => {
    await editLine(3, (line) => line.replace(/(?<=^\{"leaf":")./, another));
    await editLine(125, (line) => line.replace(/(?<="salt":")./, another));
    await editLine(250, (line) => line.replace('"position":250', '"position":251'));
    expect(await named()).toEqual(
      expect.arrayContaining(['record-changed 3', 'record-changed 125', 'record-changed 250']),
    );
    expect(await named()).toHaveLength(3);
  });

  it('is within the range that is named when it was made to fit its own hashes', async () => {
    await editLine(130, (line) => withLeaf(line.replace('"who":"ada"', '"who":"eve"')));
    expect(await named()).toEqual(['records-changed 120 239']);
  });

  it('is named when it cannot be read', async () => {
    await editLine(64, () => 'nonsense');
    expect(await named()).toEqual(['record-unreadable 64']);
  });
});

describe('a record that is not where it was', () => {
  it('is named when it was dropped', async () => {
    await editLines(0, (lines) => lines.toSpliced(42, 1));
    expect(await named()).toEqual(['record-missing 42']);
  });

  it('is named when it is the first or the last of a segment', async () => {
    await editLines(1, (lines) => lines.slice(1, -1));
    expect(await named()).toEqual(['record-missing 120', 'record-missing 239']);
  });

  it('is named with the one it was swapped with', async () => {
    await editLines(1, (lines) => lines.with(10, lines[20]!).with(20, lines[10]!));
    expect(await named()).toEqual(['record-displaced 140', 'record-displaced 130']);
  });

  it('is named when it stands there twice', async () => {
    await editLines(0, (lines) => lines.toSpliced(42, 0, lines[41]!));
    expect(await named()).toContain('record-displaced 41');
  });
});

describe('a segment', () => {
  const last = async () => join(folder, 'segments', (await filesIn('segments')).at(-1)!);

  it('that was cut is named with the first record that is lost', async () => {
    const path = await last();
    const { length } = await readFile(path);
    await truncate(path, Math.floor(length / 2));
    const problems = await named();
    const damaged = Number(/^segment-damaged (\d+) 359$/.exec(problems[0] ?? '')?.[1]);
    expect(damaged).toBeGreaterThan(240);
    expect(problems).toContain(`record-missing ${damaged} 359`);
  });

  it('that is gone is named with its records', async () => {
    await unlink(await last());
    expect(await named()).toEqual(['segment-missing 240 359']);
  });

  it('is named when it is another file with the same records', async () => {
    const path = await last();
    await writeFile(path, gzipSync(gunzipSync(await readFile(path)), { level: 1 }));
    expect(await named()).toEqual(['segment-changed 240 359']);
  });

  it('that no seal lists is named', async () => {
    await cp(await last(), join(folder, 'segments/000000000000000-000000000000009.ndjson.gz'));
    expect(await named()).toEqual(['file-unknown ']);
  });
});

describe('a seal', () => {
  it('that was forged is named', async () => {
    await editSeal(1, (digest) => ({ ...digest, seal: { ...digest.seal, sealedAt: 1 } }));
    expect(await named()).toEqual(['seal-forged 239']);
  });

  it('with another root is named, and says nothing about the records', async () => {
    const root = hash('sha256', 'another', 'base64');
    await editSeal(2, (digest) => ({ ...digest, seal: { ...digest.seal, root } }));
    expect(await named()).toEqual(['seal-forged 359']);
  });

  it('with other subtrees is named', async () => {
    await editSeal(0, (digest) => ({ ...digest, peaks: [...digest.peaks].reverse() }));
    expect(await named()).toEqual(['seal-forged 119']);
  });

  it('of another key is named, even with its key beside it, when the right key is given', async () => {
    const right = await readFile(join(folder, 'keys', (await filesIn('keys'))[0]!));
    await writeFile(join(made, 'right.pem'), right);
    await forgeEverySeal();
    expect((await verified()).proven).toBe(true);
    expect((await verified({ keyFiles: [join(made, 'right.pem')] })).problems).toMatchObject([
      { kind: 'key-unknown' },
    ]);
  });

  it('that is gone leaves its records unproven', async () => {
    await unlink(join(folder, 'seals', (await filesIn('seals'))[1]!));
    expect(await named()).toEqual(['record-missing 120 239', 'file-unknown ']);
  });

  it('that is gone with its records at the end is missed by who expects it', async () => {
    const { newest } = await verified();
    await unlink(join(folder, 'seals', (await filesIn('seals')).at(-1)!));
    await unlink(join(folder, 'segments', (await filesIn('segments')).at(-1)!));
    expect((await verified()).proven).toBe(true);
    expect(await named({ expectSeal: `${newest?.root}:${newest?.size}` })).toEqual([
      'archive-behind 240 359',
    ]);
  });

  it('that is expected must have been of this log', async () => {
    const other = hash('sha256', 'another log', 'base64');
    for (const size of [100, 240])
      expect(await named({ expectSeal: `${other}:${size}` })).toEqual([
        `seal-unexpected ${size - 1}`,
      ]);
  });
});

describe('any byte', () => {
  it('that is changed in any file is noticed', async () => {
    const files = (await readdir(folder, { recursive: true })).filter((name) =>
      /\w\.\w/.test(name),
    );
    expect(files).toHaveLength(1 + 2 * SEALS);
    for (const file of files) {
      const path = join(folder, file);
      const bytes = await readFile(path);
      for (let at = 0; at < bytes.length; at += Math.ceil(bytes.length / 40)) {
        const changed = Buffer.from(bytes);
        changed[at]! ^= 1 << (at % 8);
        await writeFile(path, changed);
        const { proven } = await verified();
        expect([file, at, proven]).toEqual([file, at, false]);
      }
      await writeFile(path, bytes);
    }
    expect((await verified()).proven).toBe(true);
  }, 60_000);
});

it('proves nothing about a folder that is no archive', async () => {
  expect((await verifyArchive(join(folder, 'nowhere'))).problems).toMatchObject([
    { kind: 'archive-empty' },
  ]);
});

async function forgeEverySeal(): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const id = hash('sha256', publicKey.export({ type: 'spki', format: 'der' })).slice(0, 16);
  await writeFile(
    join(folder, `keys/ed25519-${id}.pem`),
    publicKey.export({ type: 'spki', format: 'pem' }),
  );
  for (let i = 0; i < SEALS; i += 1)
    await editSeal(i, (digest) => {
      const { log, size, root, firstAt, lastAt, sealedAt } = digest.seal;
      const keyId = `ed25519:${id}`;
      const signed = [
        'tidegate-tree-head/v1',
        log,
        size,
        root,
        firstAt,
        lastAt,
        sealedAt,
        keyId,
        '',
      ];
      const signature = sign(null, Buffer.from(signed.join('\n')), privateKey).toString('base64');
      return { ...digest, seal: { ...digest.seal, keyId, signature } };
    });
}
