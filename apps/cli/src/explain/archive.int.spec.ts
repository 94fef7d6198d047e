import { hash } from 'node:crypto';
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  encode,
  type Message,
  RolloutCompleted,
  RolloutHeld,
  RolloutStarted,
} from '@tidegate/contracts';
import { exampleOf } from '@tidegate/contracts/testing';
import { inArchive } from './archive.file.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const SALT = '0'.repeat(32);

/** A line as audit-sink writes it, as far as it concerns who reads it. */
function line(position: number, message: Message, isRedacted = false): string {
  const { key, headers, value } = encode(message);
  const utf8 = Buffer.from(value ?? []).toString();
  const content = JSON.stringify({ key, headers, value: { utf8 } });
  const salted = Buffer.concat([Buffer.from(SALT, 'hex'), Buffer.from(content)]);
  const manifest = JSON.stringify({
    contentHash: hash('sha256', salted, 'base64'),
    kind: 'message',
    origin: { incarnation: 1, offset: String(position), partition: 0, topic: 'rollout.events' },
    position,
  });
  const rest = isRedacted ? '"salt":null,"content":null' : `"salt":"${SALT}","content":${content}`;
  return `{"leaf":"${hash('sha256', `\0${manifest}`)}","manifest":${manifest},${rest}}\n`;
}

function archive(...segments: readonly (string | Buffer)[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-explain-'));
  folders.push(folder);
  mkdirSync(join(folder, 'segments'));
  for (const [index, segment] of segments.entries()) {
    const bytes = typeof segment === 'string' ? gzipSync(segment) : segment;
    writeFileSync(join(folder, 'segments', `${index}.ndjson.gz`), bytes);
  }
  return folder;
}

const started = exampleOf(RolloutStarted, { rollout: 'r-1' }, { id: 's' });
const held = exampleOf(
  RolloutHeld,
  {
    rollout: 'r-1',
    verdicts: [{ guard: 'g', outcome: 'hold', reason: 'stale', message: 'g: is stale' }],
  },
  { id: 'h' },
);
const another = exampleOf(RolloutHeld, { rollout: 'r-2', message: 'as "r-1" did' }, { id: 'o' });
const completed = exampleOf(RolloutCompleted, { rollout: 'r-1' }, { id: 'c' });

describe('a rollout in an archive', () => {
  it('is read from all segments: each of its messages once, and nobody else’s', async () => {
    const folder = archive(
      line(0, started) + line(1, another) + line(2, held),
      line(3, held) + line(4, completed),
    );
    const found = await inArchive(folder, 'r-1');
    expect(found).toMatchObject({ events: 3, isWhole: true, problems: [] });
    expect(found.decisions).toMatchObject([{ type: 'RolloutHeld', record: 2, step: 'canary' }]);
  });

  it('lacks its beginning where that has been redacted', async () => {
    const found = await inArchive(archive(line(0, started, true) + line(1, held)), 'r-1');
    expect(found).toMatchObject({ events: 1, isWhole: false, problems: [] });
  });

  it('is told with what is wrong with its records', async () => {
    const changed = line(1, held).replace('g: is stale', 'g: is fresh');
    const cut = gzipSync(line(2, completed).repeat(50)).subarray(0, -12);
    const undecodable = line(3, { ...completed, type: 'RolloutHeld' });
    const { problems } = await inArchive(
      archive(line(0, started) + changed, cut, undecodable),
      'r-1',
    );
    expect(problems).toEqual([
      'Record 1 was changed: it does not fit its own hash.',
      expect.stringMatching(/^segments\/1\.ndjson\.gz is damaged: /),
      expect.stringMatching(/^Record 3: step: /),
    ]);
  });

  it('is not looked for in a folder that is no archive', async () => {
    await expect(inArchive(archive(), 'r-1')).rejects.toMatchObject({
      code: 'CLI_FILE_UNREADABLE',
    });
  });
});
