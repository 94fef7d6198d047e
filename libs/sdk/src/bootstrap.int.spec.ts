import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { FakeFlagService, OPEN, state } from '../../../test/servers/fake-flag-service.ts';
import { bootstrapContract } from './bootstrap.contract.ts';
import { fileBootstrap } from './bootstrap.file.ts';
import type { Bootstrap } from './bootstrap.port.ts';
import type { TidegateOptions } from './options.ts';
import { createTidegate } from './tidegate.sse.ts';

const cleanUps: (() => Promise<void>)[] = [];
let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidegate-bootstrap-'));
  file = join(folder, 'flags.json');
});
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  await rm(folder, { recursive: true });
});

async function service(): Promise<FakeFlagService> {
  const started = await FakeFlagService.start();
  cleanUps.push(() => started.stop());
  return started;
}
const NOBODY = 'http://127.0.0.1:9';

function connect(url: string, options: Partial<TidegateOptions> = {}) {
  const errors: string[] = [];
  const client = createTidegate({
    url,
    environment: 'production',
    key: 'sdk-key',
    firstRetryMs: 5,
    longestRetryMs: 20,
    onError: ({ code, message }) => errors.push(code === 'SDK_BOOTSTRAP_FAILED' ? message : code),
    ...options,
  });
  cleanUps.push(() => client.close());
  return { client, errors };
}
const kept = (rest: object, ...flags: unknown[]) => JSON.stringify({ digest: 'd', flags, ...rest });

describe('a file for the start', () => {
  bootstrapContract(async () =>
    fileBootstrap({ file: join(folder, `${Math.random()}.json`), persist: true }),
  );
});

describe('a client that starts without a server', () => {
  it('answers as STALE, with its age, from the flags of an earlier run', async () => {
    const savedAt = Date.now() - 90_000;
    await writeFile(file, kept({ savedAt, environment: 'production' }, state(3, OPEN)));
    const { client } = connect(NOBODY, { bootstrap: { file } });
    await client.ready();
    expect(client.status.state).toBe('stale');
    expect(client.status.ageMs).toBeGreaterThanOrEqual(90_000);
    expect(client.status.ageMs).toBeLessThan(150_000);
    expect(client.details('checkout-v2', false)).toMatchObject({ value: true, reason: 'STALE' });
  });

  it('answers from them also when its key is refused, and says that it is not ready', async () => {
    const server = await service();
    server.onStream = (stream) => {
      stream.refuse(401);
    };
    const loading = Promise.withResolvers<{ text: string }>();
    const { client } = connect(server.url, {
      bootstrap: {
        load: () => loading.promise,
        saveEveryMs: 1,
        close: async () => undefined,
      },
    });
    await eventually(() => client.status.state === 'error');
    const ready = client.ready();
    loading.resolve({ text: kept({}, state(3, OPEN)) });
    await ready;
    expect(client.status.state).toBe('error');
    expect(client.details('checkout-v2', false)).toMatchObject({ value: true, reason: 'STALE' });
  });

  it('takes the age of the file where the flags say nothing of theirs, and is not ready when they are too old', async () => {
    await writeFile(file, kept({}, state(3, OPEN)));
    const yesterday = new Date(Date.now() - 86_400_000);
    await utimes(file, yesterday, yesterday);
    const { client } = connect(NOBODY, { bootstrap: { file }, notReadyAfterMs: 3_600_000 });
    await client.ready();
    expect(client.status.state).toBe('error');
    expect(client.status.ageMs).toBeGreaterThanOrEqual(86_400_000);
    expect(client.boolean('checkout-v2', false)).toBe(true);
  });

  it('goes on without what cannot be read, is of another environment, or is not there', async () => {
    const cases: [string | undefined, RegExp][] = [
      ['{"digest', /not JSON/],
      [kept({ environment: 'staging' }, state(3, OPEN)), /of the environment "staging"/],
      [undefined, /ENOENT/],
    ];
    for (const [text, why] of cases) {
      await rm(file, { force: true });
      if (text !== undefined) await writeFile(file, text);
      const { client, errors } = connect(NOBODY, { bootstrap: { file } });
      await eventually(() => errors.some((error) => why.test(error)));
      expect(client.status.ageMs).toBeUndefined();
    }
  });
});

describe('a client that starts with a server', () => {
  it('is spared the snapshot that it has kept, and is ready at once', async () => {
    const server = await service();
    server.view.apply(state(3, OPEN));
    const text = kept({}, ...server.view.snapshot().flags);
    await writeFile(file, text);
    const { client } = connect(server.url, { bootstrap: { file } });
    await eventually(() => client.status.state === 'ready');
    server.last.destroy();
    await eventually(() => server.streams.length === 2);
    expect(server.last.digest).toBe(server.view.digest);
  });

  it('never lets older flags take the place of newer ones, in whatever order they come', async () => {
    const server = await service();
    server.view.apply(state(5, OPEN));
    const loading = Promise.withResolvers<{ text: string }>();
    const bootstrap: Bootstrap = {
      load: () => loading.promise,
      saveEveryMs: 1,
      close: async () => undefined,
    };
    const { client } = connect(server.url, { bootstrap });
    await eventually(() => client.status.state === 'ready');
    loading.resolve({ text: kept({}, state(4, 0), state(1, OPEN, { key: 'long-gone' })) });
    await loading.promise;
    server.change(state(1, OPEN, { key: 'marker' }));
    await eventually(() => client.boolean('marker', false));
    expect(client.details('checkout-v2', false).flagMetadata).toMatchObject({ version: 5 });
    expect(client.boolean('long-gone', false)).toBe(false);

    const ahead = kept({}, state(9, 0));
    await writeFile(file, ahead);
    const { client: other } = connect(server.url, { bootstrap: { file } });
    await eventually(() => other.status.state === 'ready');
    await eventually(() => other.details('checkout-v2', false).flagMetadata.version !== undefined);
    expect(other.details('checkout-v2', true).flagMetadata.version).toBeGreaterThanOrEqual(5);
  });

  it('keeps the flags for the next start, whole and again after each change, and leaves nothing beside them', async () => {
    const server = await service();
    server.view.apply(state(1, OPEN));
    const { client } = connect(server.url, { bootstrap: { file, persist: true } });
    const versions = async () => {
      const { flags, environment, savedAt } = JSON.parse(await readFile(file, 'utf8')) as {
        flags: { version: number }[];
        environment: string;
        savedAt: number;
      };
      expect(environment).toBe('production');
      expect(Math.abs(Date.now() - savedAt)).toBeLessThan(60_000);
      return flags.map(({ version }) => version);
    };
    await eventually(async () => (await versions())[0] === 1);
    for (let version = 2; version <= 40; version += 1) server.change(state(version, OPEN));
    await eventually(() => client.details('checkout-v2', false).flagMetadata.version === 40);
    await client.close();
    expect(await versions()).toEqual([40]);
    expect(await readdir(folder)).toEqual(['flags.json']);

    await server.stop();
    const { client: next } = connect(NOBODY, { bootstrap: { file, persist: true } });
    await next.ready();
    expect(next.details('checkout-v2', false)).toMatchObject({
      value: true,
      reason: 'STALE',
      flagMetadata: { version: 40 },
    });
  });

  it('saves no more often than is wanted, one at a time, and goes on when a save fails', async () => {
    const server = await service();
    server.view.apply(state(1, OPEN));
    const saved: { at: number; text: string }[] = [];
    let running = 0;
    const bootstrap: Bootstrap = {
      load: async () => undefined,
      saveEveryMs: 50,
      save: async (text) => {
        running += 1;
        expect(running).toBe(1);
        saved.push({ at: performance.now(), text });
        await Promise.resolve();
        running -= 1;
        if (saved.length === 1) throw new Error('disk full');
      },
      close: async () => undefined,
    };
    const { client, errors } = connect(server.url, { bootstrap });
    await eventually(() => saved.length === 1);
    let version = 1;
    await eventually(() => {
      version += 1;
      server.change(state(version, OPEN));
      return saved.length >= 4;
    });
    await eventually(() => client.details('checkout-v2', false).flagMetadata.version === version);
    await client.close();
    const gaps = saved.slice(1, -1).map(({ at }, index) => at - (saved[index]?.at ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(40);
    expect(errors[0]).toContain('were not kept: disk full');
    expect(saved.at(-1)?.text).toContain(`"version":${version}`);
  });
});
