import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { manualClock } from '@tidegate/kernel/testing';
import type { Collection } from './documents.port.ts';
import { openDatabase } from './layout.sqlite.ts';
import { openSqliteStore, SqliteStore } from './store.sqlite.ts';

jest.setTimeout(30_000); // other processes are started

const cleanUps: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const clock = manualClock(1_000_000);
const texts: Collection<string> = { name: 'texts', schemaVersion: 1, index: () => ({}) };
const text = (state: string) => ({ state, version: 1, outbox: [] });

async function freshFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-store-'));
  cleanUps.push(() => rm(folder, { recursive: true }));
  return join(folder, 'store.db');
}

async function openIt(file: string): Promise<SqliteStore> {
  const store = await openSqliteStore({ file, clock });
  cleanUps.push(() => store.close());
  return store;
}

/** Our sources, as they stand, in another process. */
const resolveSources = `
  import { registerHooks } from 'node:module';
  registerHooks({
    resolve: (specifier, context, next) =>
      next(
        specifier.startsWith('@tidegate/')
          ? '${pathToFileURL(join(import.meta.dirname, '../..')).href}' + specifier.slice(9) + '/src/index.ts'
          : specifier,
        context,
      ),
  });`;

function inAnotherProcess(file: string, script: string): ChildProcess {
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      `--import=data:text/javascript,${encodeURIComponent(resolveSources)}`,
      '--input-type=module',
      '--eval',
      `import { openSqliteStore } from '@tidegate/store';
       import { writeSync } from 'node:fs';
       const store = await openSqliteStore({ file: process.argv[1], clock: { now: Date.now } });
       ${script}`,
      file,
    ],
    { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  cleanUps.push(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  return child;
}

async function readUntil(child: ChildProcess, enough: (line: string) => boolean) {
  if (!child.stdout) throw new Error('There is no output to read.');
  for await (const line of createInterface(child.stdout)) if (enough(line)) return;
}

describe('a process that is killed while it writes', () => {
  it('has on disk, whole, every document that it was told is saved', async () => {
    const file = await freshFile();
    const child = inAnotherProcess(
      file,
      `const texts = store.documents({ name: 'texts', schemaVersion: 1, index: () => ({}) });
       const writer = async (name) => {
         for (let n = 1; ; n += 1) {
           const message = { type: 'FlagDisabled', key: 'k', topic: 'flag.events', data: n, metadata: {} };
           await texts.save(name, { state: 'x'.repeat(5_000) + n, version: n, outbox: [message] }, n - 1);
           writeSync(1, name + ' ' + n + '\\n');
         }
       };
       for (let writers = 0; writers < 8; writers += 1) void writer('w-' + writers);`,
    );
    const acknowledged = new Map<string, number>();
    let lines = 0;
    await readUntil(child, (line) => {
      const [name = '', n] = line.split(' ');
      acknowledged.set(name, Number(n));
      lines += 1;
      if (lines === 400) child.kill('SIGKILL');
      return false; // what was written before the end counts as well
    });
    expect(lines).toBeGreaterThanOrEqual(400);
    const documents = (await openIt(file)).documents(texts);
    for (const [name, n] of acknowledged) {
      const found = await documents.load(name);
      const version = Number(found?.version);
      expect(version).toBeGreaterThanOrEqual(n);
      expect(found?.token).toBe(version);
      expect(found?.state).toBe('x'.repeat(5_000) + version);
      expect(found?.outbox).toHaveLength(version);
    }
  });
});

describe('a file that another process has', () => {
  it('is refused with the name of its folder, and free once that process is gone', async () => {
    const file = await freshFile();
    const child = inAnotherProcess(file, `writeSync(1, 'open\\n'); setInterval(() => {}, 1_000);`);
    await readUntil(child, (line) => line === 'open');
    await expect(openSqliteStore({ file, clock })).rejects.toMatchObject({
      code: 'STORE_IN_USE',
      retryable: false,
      message: expect.stringContaining(dirname(file)),
    });
    child.kill('SIGKILL');
    await once(child, 'exit');
    await expect((await openIt(file)).check()).resolves.toBeUndefined();
  });

  it('is refused to a second store in the same process as well', async () => {
    const file = await freshFile();
    const store = await openIt(file);
    await expect(openSqliteStore({ file, clock })).rejects.toMatchObject({ code: 'STORE_IN_USE' });
    await expect(store.check()).resolves.toBeUndefined();
  });
});

describe('a file that is not ours to open', () => {
  it.each([
    ['no database', 'STORE_FAILED', (file: string) => writeFile(file, 'hello '.repeat(1_000))],
    [
      'a database of another program',
      'STORE_FAILED',
      async (file: string) => {
        const database = openDatabase(file);
        database.exec('PRAGMA application_id=7');
        database.close();
      },
    ],
    [
      'written by a newer release',
      'STORE_SCHEMA_NEWER',
      async (file: string) => {
        const database = openDatabase(file);
        database.exec('PRAGMA user_version=99');
        database.close();
      },
    ],
  ])('is left as it is: %s', async (_what, code, make) => {
    const file = await freshFile();
    await make(file);
    const before = await readFile(file);
    await expect(openSqliteStore({ file, clock })).rejects.toMatchObject({
      code,
      retryable: false,
      message: expect.stringContaining(file),
    });
    expect(await readFile(file)).toEqual(before);
  });

  it('names a folder that cannot be made', async () => {
    const file = await freshFile();
    await writeFile(file, '');
    await expect(
      openSqliteStore({ file: join(file, 'inside', 'store.db'), clock }),
    ).rejects.toMatchObject({
      code: 'STORE_UNREACHABLE',
      message: expect.stringContaining(join(file, 'inside')),
    });
  });
});

describe('a disk that is full', () => {
  it('refuses to save, keeps what was saved, and works again when there is room', async () => {
    const file = await freshFile();
    const database = openDatabase(file);
    const store = new SqliteStore(database, clock);
    cleanUps.push(() => store.close());
    const documents = store.documents(texts);
    const pages = Number(database.prepare('PRAGMA page_count').get()?.['page_count']);
    database.exec(`PRAGMA max_page_count=${pages + 40}`);

    const saved: string[] = [];
    const full = async () => {
      for (let n = 0; ; n += 1) {
        await documents.save(`t-${n}`, text('x'.repeat(10_000)), 0);
        saved.push(`t-${n}`);
      }
    };
    await expect(full()).rejects.toMatchObject({
      code: 'STORE_UNREACHABLE',
      retryable: true,
      message: expect.stringContaining('disk is full'),
    });
    expect(saved.length).toBeGreaterThan(0);

    // A whole batch of writers, none of whom is told that it was saved.
    const batch = await Promise.allSettled(
      saved.map((id) => documents.save(`${id}-b`, text('x'.repeat(10_000)), 0)),
    );
    expect(batch.map(({ status }) => status)).not.toContain('fulfilled');

    // Nor does this process remember what the disk does not.
    const [first = ''] = saved;
    const handled = { source: 's', id: 'c', answer: { outcome: 'unchanged', version: 1 } } as const;
    const [marked] = await Promise.allSettled([
      documents.save(first, { ...text('x'), mark: handled }, 1),
      documents.save(`${first}-c`, text('x'.repeat(1_000_000)), 0),
    ]);
    expect(marked.status).toBe('rejected');
    expect(await documents.load(first)).toMatchObject({ token: 1, handled: [] });

    database.exec('PRAGMA max_page_count=100000');
    await documents.save('later', text('there is room'), 0);
    await store.close();
    const found = await (await openIt(file)).documents(texts).list({ limit: 1_000 });
    expect(found.map(({ id }) => id)).toEqual([...saved, 'later'].toSorted());
  });
});

describe('a write that fails halfway', () => {
  it('leaves nothing behind, and what is written at the same time stands', async () => {
    const history = (await openIt(await freshFile())).projection<string>('history');
    const entry = (key: string, version: number) => ({ id: 'a', key, version, at: 1, record: key });
    const results = await Promise.allSettled([
      history.append([entry('before', 1)]),
      history.append([entry('half', 2), entry('no integer', 2.5)]),
      history.append([entry('after', 3)]),
    ]);
    expect(results[1]).toMatchObject({ reason: { code: 'STORE_FAILED', retryable: false } });
    const found = await history.read('a', { limit: 10 });
    expect(found.map(({ key }) => key)).toEqual(['before', 'after']);
  });
});

describe('a closed store', () => {
  it('refuses everything as out of reach, to be tried again elsewhere', async () => {
    const store = await openIt(await freshFile());
    const documents = store.documents(texts);
    await store.close();
    const closed = { code: 'STORE_UNREACHABLE', retryable: true, message: 'The store is closed.' };
    await expect(documents.load('a')).rejects.toMatchObject(closed);
    await expect(documents.save('a', text('a'), 0)).rejects.toMatchObject(closed);
    await expect(store.check()).rejects.toMatchObject(closed);
    await expect(store.close()).resolves.toBeUndefined();
  });
});
