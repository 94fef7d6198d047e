import { afterEach, expect, it } from '@jest/globals';
import type { WireRecord } from '@tidegate/contracts';
import type { Log } from './log.port.ts';

/** A log on a new, empty file, and how to open it again; `now` is its clock. */
export interface LogUnderTest {
  readonly log: Log;
  reopen(): LogUnderTest;
}

const DAY = 86_400_000;
const EVENTS = 'flag.events';
const STATES = 'flag.state.production';
const text = (value: string) => new TextEncoder().encode(value);
const record = (key: string, value: string | null = key): WireRecord => ({
  key,
  headers: { ce_id: key },
  value: value === null ? null : text(value),
});
const at = (topic: string, ...records: WireRecord[]) =>
  records.map((each) => ({ topic, partition: 0, record: each }));
const keysOf = (log: Log, topic: string) =>
  log.read(topic, 0, 0, 1_000, Infinity).map((raw) => raw.record.key);
const place = { group: 'g', topic: EVENTS, partition: 0 };

export function logContract(open: (clock: { now(): number }) => LogUnderTest): void {
  const opened: Log[] = [];
  const clock = { time: 1_000_000, now: () => clock.time };
  const track = (under: LogUnderTest): LogUnderTest => {
    opened.push(under.log);
    return { log: under.log, reopen: () => track(under.reopen()) };
  };
  const start = () => track(open(clock));
  afterEach(() => {
    for (const log of opened.splice(0)) log.close();
  });

  it('gives records back as they were appended, with offset, time and incarnation', async () => {
    const { log } = start();
    await log.append(at(EVENTS, record('a'), { key: null, headers: {}, value: null }));
    expect(log.read(EVENTS, 0, 0, 10, 1_000)).toEqual([
      {
        origin: { topic: EVENTS, incarnation: expect.any(Number), partition: 0, offset: 0n },
        recordedAt: 1_000_000,
        record: record('a'),
      },
      {
        origin: { topic: EVENTS, incarnation: expect.any(Number), partition: 0, offset: 1n },
        recordedAt: 1_000_000,
        record: { key: null, headers: {}, value: null },
      },
    ]);
  });

  it('reads from an offset on, up to a limit or about so many bytes, one at least', async () => {
    const { log } = start();
    await log.append(
      at(EVENTS, ...['a', 'b', 'c', 'd'].map((key) => record(key, 'x'.repeat(100)))),
    );
    const keys = (from: number, limit: number, bytes: number) =>
      log.read(EVENTS, 0, from, limit, bytes).map((raw) => raw.record.key);
    expect(keys(1, 2, 10_000)).toEqual(['b', 'c']);
    expect(keys(0, 10, 1)).toEqual(['a']);
    expect(keys(0, 10, 150)).toEqual(['a', 'b']);
    expect(keys(4, 10, 1_000)).toEqual([]);
    expect(log.read(EVENTS, 1, 0, 10, 1_000)).toEqual([]);
  });

  it('writes records and positions together, and remembers them', async () => {
    const { log, reopen } = start();
    expect(log.position(place)).toBeUndefined();
    await log.append(at(EVENTS, record('a')), [{ ...place, next: 1 }]);
    log.move({ ...place, partition: 1 }, 7);
    expect(log.position(place)).toBe(1);
    log.close();
    const { log: again } = reopen();
    expect(again.position(place)).toBe(1);
    expect(again.position({ ...place, partition: 1 })).toBe(7);
    expect(again.position({ ...place, group: 'other' })).toBeUndefined();
    expect(keysOf(again, EVENTS)).toEqual(['a']);
    expect(again.topics()).toContain(EVENTS);
  });

  it('knows whether the process before it ended in order', async () => {
    const { log, reopen } = start();
    expect(log.endedUncleanly).toBe(false);
    await log.append(at(EVENTS, record('a')));
    log.move(place, 1);
    log.flush();
    log.move(place, 2);
    log.abandon();
    const next = reopen();
    expect(next.log.endedUncleanly).toBe(true);
    expect(next.log.position(place)).toBe(1);
    next.log.close();
    expect(next.reopen().log.endedUncleanly).toBe(false);
  });

  it('counts attempts across deaths, until one is outlived', () => {
    const { log, reopen } = start();
    expect(log.beginAttempt(place, 3)).toBe(1);
    expect(log.beginAttempt({ ...place, group: 'other' }, 3)).toBe(1);
    log.abandon();
    const { log: again } = reopen();
    expect(again.beginAttempt(place, 3)).toBe(2);
    again.endAttempt(place, 3);
    expect(again.beginAttempt(place, 3)).toBe(1);
  });

  it('tells of appends to one partition, until it is told not to', async () => {
    const { log } = start();
    let heard = 0;
    const unlisten = log.onAppend(EVENTS, 0, () => {
      heard += 1;
    });
    await log.append(at(EVENTS, record('a')));
    await log.append([{ topic: EVENTS, partition: 1, record: record('b') }]);
    unlisten();
    await log.append(at(EVENTS, record('c')));
    expect(heard).toBe(1);
  });

  it('removes what is past its retention, some at a time, but never the newest', async () => {
    const { log, reopen } = start();
    await log.append(at(EVENTS, record('a'), record('b'), record('c')));
    clock.time += 20 * DAY;
    await log.append(at(EVENTS, record('d')));
    clock.time += 11 * DAY;
    expect(log.clean(EVENTS, clock.time, 2)).toBeGreaterThanOrEqual(2);
    expect(keysOf(log, EVENTS)).not.toContain('b');
    log.clean(EVENTS, clock.time, 100);
    expect(keysOf(log, EVENTS)).toEqual(['d']);
    expect(log.bounds(EVENTS, 0)).toEqual({ start: 3, end: 4 });
    clock.time += 100 * DAY;
    log.clean(EVENTS, clock.time, 100);
    expect(keysOf(log, EVENTS)).toEqual(['d']);
    log.close();
    const { log: again } = reopen();
    await again.append(at(EVENTS, record('e')));
    expect(again.read(EVENTS, 0, 4, 1, 1_000)[0]?.origin.offset).toBe(4n);
  });

  it('keeps the newest record of each key of a compacted topic, and tombstones for a day', async () => {
    const { log } = start();
    await log.append(
      at(STATES, record('a', '1'), record('b', '1'), record('a', '2'), record('gone', '1')),
    );
    await log.append(at(STATES, record('gone', null), record('last', '1')));
    expect(log.clean(STATES, clock.time, 100)).toBe(2);
    expect(keysOf(log, STATES)).toEqual(['b', 'a', 'gone', 'last']);
    clock.time += 2 * DAY;
    await log.append(at(STATES, record('last', '2')));
    log.clean(STATES, clock.time, 100);
    expect(keysOf(log, STATES)).toEqual(['b', 'a', 'last']);
  });

  it('refuses a topic that is not in the catalogue', async () => {
    const { log } = start();
    await expect(log.append(at('nowhere', record('a')))).rejects.toMatchObject({
      code: 'BUS_TOPIC_UNKNOWN',
    });
  });

  it('says that it is closed', async () => {
    const { log } = start();
    log.close();
    await expect(log.append(at(EVENTS, record('a')))).rejects.toMatchObject({ code: 'BUS_CLOSED' });
    expect(() => {
      log.check();
    }).toThrow('closed');
    log.move(place, 1);
    log.close();
  });
}
