import { describe, expect, it } from '@jest/globals';
import type { RawRecord } from '@tidegate/bus';
import { isAppError } from '@tidegate/kernel';
import { manualClock } from '@tidegate/kernel/testing';
import { noFaults, openSqliteStore, type Projection } from '@tidegate/store';
import { memoryStore } from '@tidegate/store/testing';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { leafOf, recordOf } from '../record/line.ts';
import { append, emptyFrontier, foldPeaks, type Frontier, root } from '../tree/merkle.ts';
import {
  consistencySpans,
  inclusionSpans,
  verifyConsistency,
  verifyInclusion,
} from '../tree/proof.ts';
import { LogAppender } from './append.handler.ts';
import { LogReader } from './read.handler.ts';
import type { Stored } from './stored.ts';

const clock = manualClock(1_000);
const record = (offset: number): RawRecord => ({
  origin: {
    topic: 'signals',
    incarnation: 1,
    partition: offset % 3,
    offset: BigInt(Math.floor(offset / 3)),
  },
  recordedAt: offset,
  record: { key: null, headers: { ce_id: `m-${offset}` }, value: Buffer.from(`{"n":${offset}}`) },
});
const records = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => record(from + i));
const memory = (): Projection<Stored> => memoryStore({ clock }).projection<Stored>('audit-log');

let salts = 0;
const appenderOn = (stored: Projection<Stored>, gaps: number[] = []) =>
  new LogAppender({
    stored,
    clock,
    newSalt: () => String((salts += 1)).padStart(32, '0'),
    onGaps: (count) => gaps.push(count),
    faults: noFaults,
  });

async function all(reader: LogReader, from: number, to: number): Promise<string[]> {
  const lines: string[] = [];
  for await (const some of reader.lines({ from, to })) lines.push(...some);
  return lines;
}

async function fillUnevenly(appender: LogAppender, count: number): Promise<void> {
  for (let from = 0, step = 1; from < count; from += step, step = (step * 7) % 389)
    await appender.append(records(from, Math.min(from + step, count)));
}

describe('the stored log', () => {
  it('goes on where it ended, record for record, after every restart', async () => {
    const stored = memory();
    for (let end = 1; end < 300; end += 23) {
      const appender = appenderOn(stored);
      await appender.append(records(0, end)); // everything is delivered again
      expect((await appender.state()).frontier.size).toBe(end);
    }
    const reader = new LogReader(stored);
    const lines = await all(reader, 0, await reader.size());
    const kept = lines.map((line) => recordOf(line).manifest);
    expect(kept.map(({ position }) => position)).toEqual(lines.map((_, i) => i));
    expect(kept.map(({ id }) => id)).toEqual(lines.map((_, i) => `m-${i}`));
  });

  it('has the same state after a restart as before it', async () => {
    const stored = memory();
    const appender = appenderOn(stored);
    await fillUnevenly(appender, 2_500);
    expect(await appenderOn(stored).state()).toEqual(await appender.state());
  });

  it('takes one of two writers that believe to be the one, and tells the other', async () => {
    const stored = memory();
    const [first, second] = [appenderOn(stored), appenderOn(stored)];
    await first.append(records(0, 10));
    await second.state();
    await first.append(records(10, 20));
    const late = await second.append(records(10, 30)).catch((error: unknown) => error);
    expect(isAppError(late, 'AUDIT_LOG_MOVED_ON')).toBe(true);
    await second.append(records(10, 30)); // the bus delivers it again
    const reader = new LogReader(stored);
    const ids = (await all(reader, 0, 30)).map((line) => recordOf(line).manifest.id);
    expect([await reader.size(), ids]).toEqual([30, records(0, 30).map((_, i) => `m-${i}`)]);
  });

  it('says how many gaps there were, and that they were recorded', async () => {
    const stored = memory();
    const gaps: number[] = [];
    await appenderOn(stored, gaps).append([record(0), record(6)]);
    expect(gaps).toEqual([1]);
    expect(await new LogReader(stored).size()).toBe(3);
  });

  it('reads any part, forth and back', async () => {
    const stored = memory();
    await fillUnevenly(appenderOn(stored), 700);
    const reader = new LogReader(stored);
    const forth = (await all(reader, 123, 678)).map((line) => recordOf(line).manifest.position);
    expect(forth).toEqual(Array.from({ length: 555 }, (_, i) => 123 + i));
    const back: number[] = [];
    for await (const { position } of reader.newestFirst(402)) back.push(position);
    expect(back).toEqual(Array.from({ length: 402 }, (_, i) => 401 - i));
    expect(recordOf((await reader.find(456)) ?? '').manifest.position).toBe(456);
    expect(await reader.find(700)).toBeUndefined();
  });

  it('fails to read what is not there rather than ending early', async () => {
    const stored = memory();
    await appenderOn(stored).append(records(0, 10));
    const failure = await all(new LogReader(stored), 0, 11).catch((error: unknown) => error);
    expect(isAppError(failure, 'AUDIT_LOG_DAMAGED')).toBe(true);
  });
});

describe('proofs from the stored log', () => {
  const SIZE = 1_500;

  it('hold for records and earlier sizes all over a log of several tiles', async () => {
    const stored = memory();
    await fillUnevenly(appenderOn(stored), SIZE);
    const reader = new LogReader(stored);
    const leaves = (await all(reader, 0, SIZE)).map(leafOf);
    const frontiers: Frontier[] = [emptyFrontier];
    for (const leaf of leaves) frontiers.push(append(frontiers.at(-1)!, leaf));
    const whole = { size: SIZE, root: root(frontiers[SIZE]!) };
    for (let n = 1; n <= SIZE; n += 97) {
      const inclusion = await Promise.all(inclusionSpans(n - 1, SIZE).map((s) => reader.hashOf(s)));
      const claim = { ...whole, leaf: leaves[n - 1]!, index: n - 1 };
      expect(verifyInclusion(claim, inclusion)).toBe(true);
      const older = { size: n, root: root(frontiers[n]!) };
      const consistency = await Promise.all(consistencySpans(n, SIZE).map((s) => reader.hashOf(s)));
      expect(verifyConsistency(older, whole, consistency)).toBe(true);
      expect(foldPeaks(await reader.peaks(n))).toEqual(older.root);
    }
  });

  it('hold after a crash between a chunk and the subtrees it completes', async () => {
    const stored = memory();
    const crashing: Projection<Stored> = {
      append: (entries) =>
        entries[0]?.id.startsWith('nodes/')
          ? Promise.reject(new Error('crash'))
          : stored.append(entries),
      read: (id, page) => stored.read(id, page),
      last: (id) => stored.last(id),
      forget: (id, upTo) => stored.forget(id, upTo),
    };
    await expect(appenderOn(crashing).append(records(0, 300))).rejects.toThrow('crash');
    const state = await appenderOn(stored).state();
    expect(state.frontier.size).toBe(300);
    expect(foldPeaks(await new LogReader(stored).peaks(300))).toEqual(root(state.frontier));
  });
});

describe('the log on disk', () => {
  it('is there after the store was closed and opened again', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'audit-'));
    try {
      const file = join(folder, 'store.db');
      for (const end of [400, 900]) {
        const store = await openSqliteStore({ file, clock });
        await appenderOn(store.projection('audit-log')).append(records(0, end));
        expect(await new LogReader(store.projection('audit-log')).size()).toBe(end);
        await store.close();
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
