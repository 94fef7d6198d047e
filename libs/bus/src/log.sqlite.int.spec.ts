import { afterAll, describe, expect, it } from '@jest/globals';
import type { Clock } from '@tidegate/kernel';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { logContract, type LogUnderTest } from './log.contract.ts';
import { SqliteLog } from './log.sqlite.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'tidegate-log-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
let count = 0;
const newFile = () => {
  count += 1;
  return path.join(folder, `${count}`, 'bus.db');
};
const clock = { now: Date.now };
const openLog = (file: string, options: { clock?: Clock; prefix?: string } = {}) =>
  new SqliteLog({ file, clock, prefix: 'tidegate.', ...options });

const open = (file: string, clock: Clock): LogUnderTest => ({
  log: openLog(file, { clock }),
  reopen: () => open(file, clock),
});

describe('the log in SQLite', () => {
  logContract((clock) => open(newFile(), clock));

  const append = (log: SqliteLog, topic = 'kills') =>
    log.append([{ topic, partition: 0, record: { key: 'a', headers: {}, value: null } }]);

  it('is held by one log at a time, and says which file', async () => {
    const file = newFile();
    const log = openLog(file);
    expect(() => openLog(file)).toThrow(expect.objectContaining({ code: 'BUS_IN_USE' }));
    expect(() => openLog(file)).toThrow(file);
    log.close();
    openLog(file).close();
  });

  it('keeps what different prefixes name apart', async () => {
    const file = newFile();
    const one = openLog(file, { prefix: 'one.' });
    await append(one);
    one.close();
    const other = openLog(file, { prefix: 'other.' });
    expect(other.bounds('kills', 0)).toEqual({ start: 0, end: 0 });
    await append(other);
    other.close();
    const again = openLog(file, { prefix: 'one.' });
    expect(again.bounds('kills', 0)).toEqual({ start: 0, end: 1 });
    again.close();
  });

  it('raises the incarnation when the file is made anew', async () => {
    const file = newFile();
    const time = { now: () => 5_000 };
    const incarnation = async () => {
      const log = openLog(file, { clock: time });
      await append(log);
      const [first] = log.read('kills', 0, 0, 1, 1);
      log.close();
      return first?.origin.incarnation;
    };
    expect(await incarnation()).toBe(5);
    expect(await incarnation()).toBe(5);
    rmSync(file);
    time.now = () => 9_000;
    expect(await incarnation()).toBe(9);
  });

  it('refuses what is no bus file, and what a newer release wrote', () => {
    const noise = newFile();
    openLog(noise).close();
    writeFileSync(noise, 'This is a letter to my landlord. '.repeat(100));
    expect(() => openLog(noise)).toThrow(expect.objectContaining({ code: 'BUS_FORMAT_UNKNOWN' }));

    const foreign = newFile();
    openLog(foreign).close();
    const other = new DatabaseSync(foreign);
    other.exec('PRAGMA application_id = 7');
    other.close();
    expect(() => openLog(foreign)).toThrow('something else');

    const newer = newFile();
    openLog(newer).close();
    const database = new DatabaseSync(newer);
    database.exec('PRAGMA user_version = 2');
    database.close();
    expect(() => openLog(newer)).toThrow(expect.objectContaining({ code: 'BUS_FORMAT_UNKNOWN' }));
  });

  it('is unreachable where nothing can be written', () => {
    const inFile = path.join(newFile(), 'under', 'a', 'file');
    const parent = path.dirname(inFile);
    openLog(parent).close();
    expect(() => openLog(inFile)).toThrow(
      expect.objectContaining({ code: 'BUS_UNREACHABLE', retryable: true }),
    );
  });

  it('tells everybody whose records did not get in, and takes the next ones', async () => {
    const log = openLog(newFile());
    await append(log);
    const broken = { key: 'a', headers: {}, value: 'no bytes' as unknown as Uint8Array };
    const unstorable = { ...broken, value: { not: 'a blob' } as unknown as Uint8Array };
    const results = await Promise.allSettled([
      append(log),
      log.append([{ topic: 'kills', partition: 0, record: unstorable }]),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await append(log);
    expect(log.bounds('kills', 0)).toEqual({ start: 0, end: 2 });
    log.close();
  });

  it('takes a flood in several transactions, in order', async () => {
    const log = openLog(newFile());
    let done = 0;
    const publishes = Array.from({ length: 30 }, (_, n) =>
      log
        .append(
          Array.from({ length: 200 }, (_each, m) => ({
            topic: 'kills',
            partition: 0,
            record: { key: String(n * 200 + m), headers: {}, value: null },
          })),
        )
        .then(() => {
          done += 1;
        }),
    );
    await Promise.race(publishes);
    expect(done).toBeLessThan(30);
    await Promise.all(publishes);
    const keys = log.read('kills', 0, 0, 10_000, Infinity).map(({ record }) => Number(record.key));
    expect(keys).toEqual([...Array(6_000).keys()]);
    log.close();
  });
});
