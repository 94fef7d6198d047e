import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { OPEN, state } from '../../../test/servers/fake-flag-service.ts';
import { createFileTidegate, type FileTidegateOptions } from './tidegate.file.ts';
import type { Tidegate } from './tidegate.port.ts';

let folder: string;
let file: string;
const clients: Tidegate[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidegate-flags-'));
  file = join(folder, 'flags.json');
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await rm(folder, { recursive: true });
});

function open(options: Partial<FileTidegateOptions> = {}) {
  const errors: string[] = [];
  const onError = ({ code }: { code: string }) => void errors.push(code);
  const client = createFileTidegate({ file, onError, ...options });
  clients.push(client);
  return { client, errors };
}
const text = (...flags: unknown[]) => JSON.stringify({ digest: 'any', flags });
const isOn = (client: Tidegate) => client.boolean('checkout-v2', false);

describe('flags from a file', () => {
  it('are there at once, and follow it: by hand, without new revisions, or replaced as a whole', async () => {
    await writeFile(file, text(state(5, 0)));
    const { client, errors } = open({ rereadEveryMs: 25_000 });
    await client.ready();
    expect(isOn(client)).toBe(false);
    await writeFile(file, text(state(5, OPEN)));
    await eventually(() => isOn(client));
    await writeFile(join(folder, 'next.json'), text(state(4, 0)));
    await rename(join(folder, 'next.json'), file);
    await eventually(() => !isOn(client));
    await writeFile(file, text());
    await eventually(() => client.details('checkout-v2', true).errorCode === 'FLAG_NOT_FOUND');
    expect(errors.filter((code) => code !== 'SDK_FILE_FAILED')).toEqual([]);
  });

  it('stay when it is broken, which is told once, and are STALE in the end', async () => {
    await writeFile(file, text(state(1, OPEN)));
    const { client, errors } = open({ rereadEveryMs: 5, staleAfterMs: 60 });
    await client.ready();
    await writeFile(file, '{ "flags": ');
    await eventually(() => client.status.state === 'stale');
    expect(client.details('checkout-v2', false)).toMatchObject({ value: true, reason: 'STALE' });
    expect(new Set(errors)).toEqual(new Set(['SDK_FILE_FAILED']));
    expect(errors.length).toBeLessThanOrEqual(2);
    await writeFile(file, text(state(1, 0)));
    await eventually(() => client.status.state === 'ready' && !isOn(client));
  });

  it('are current as long as the file is there, though nothing changes', async () => {
    await writeFile(file, text(state(1, OPEN)));
    const { client } = open({ rereadEveryMs: 10, staleAfterMs: 1_000 });
    const states: string[] = [];
    client.onStatus((status) => void states.push(status.state));
    await client.ready();
    const started = Date.now();
    await eventually(() => Date.now() - started > 1_500);
    expect(states).toEqual(['ready']);
  });

  it('are waited for', async () => {
    const { client, errors } = open();
    await eventually(() => errors.length > 0);
    expect(client.status.state).toBe('connecting');
    await writeFile(file, text(state(1, OPEN)));
    await client.ready();
    expect(isOn(client)).toBe(true);
  });

  it('cost only the one that cannot be read', async () => {
    await writeFile(file, text({ key: 'strange' }, state(1, OPEN)));
    const { client, errors } = open();
    await client.ready();
    expect(isOn(client)).toBe(true);
    expect(errors).toEqual(['SDK_MESSAGE_INVALID']);
  });
});

it.each([
  [{ file: '' }, 'file must not be empty'],
  [{ file: 'flags.json', rereadEveryMs: 40_000 }, 'rereadEveryMs must be'],
])('is refused for %j', (options, sentence) => {
  expect(() => createFileTidegate(options)).toThrow(sentence);
});
