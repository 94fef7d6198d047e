import { describe, expect, it } from '@jest/globals';
import type { RawRecord } from '@tidegate/bus';
import fc from 'fast-check';
import { recordOf } from '../record/line.ts';
import { root } from '../tree/merkle.ts';
import { checkpointOf, replay, stateAt } from './chunk.ts';
import { emptyLog, extend, runsOf } from './log.ts';

const salt = () => '00'.repeat(16);
const record = (partition: number, offset: number, bytes = 3): RawRecord => ({
  origin: { topic: 'signals', incarnation: 1, partition, offset: BigInt(offset) },
  recordedAt: 1_000 + offset,
  record: { key: null, headers: {}, value: new Uint8Array(bytes) },
});
const summary = (line: string) => {
  const { kind, position, origin } = recordOf(line).manifest;
  return `${position} ${kind} ${origin.partition}/${origin.offset}`;
};

describe('the log', () => {
  it('gives records consecutive positions and remembers where each partition stands', () => {
    const { state, lines, gaps } = extend(
      emptyLog,
      [record(0, 0), record(1, 0), record(0, 1)],
      salt,
    );
    expect(lines.map(summary)).toEqual(['0 message 0/0', '1 message 1/0', '2 message 0/1']);
    expect(Object.fromEntries(state.cursors)).toEqual({
      'signals/0': { incarnation: 1, next: 2n },
      'signals/1': { incarnation: 1, next: 1n },
    });
    expect([gaps, state.firstAt, state.lastAt]).toEqual([0, 1_000, 1_001]);
  });

  it('records each origin once, however records are repeated and cut into batches', () => {
    const offsets = Array.from({ length: 40 }, (_, i) => record(i % 3, Math.floor(i / 3)));
    const whole = extend(emptyLog, offsets, salt);
    const starts = fc.array(fc.nat(39), { maxLength: 8 });
    fc.assert(
      fc.property(starts, (from) => {
        // redelivery goes back to some earlier record of what has come so far
        const ends = from.toSorted((a, b) => a - b);
        let state = emptyLog;
        const lines: string[] = [];
        for (const [i, end] of [...ends, 40].entries()) {
          const extension = extend(
            state,
            offsets.slice(Math.min(end, ends[i - 2] ?? 0), end),
            salt,
          );
          state = extension.state;
          lines.push(...extension.lines);
        }
        expect(lines).toEqual(whole.lines);
        expect(root(state.frontier)).toEqual(root(whole.state.frontier));
      }),
    );
  });

  it('records a gap where offsets are missing, before the record that shows it', () => {
    const { lines, gaps } = extend(emptyLog, [record(0, 0), record(0, 5), record(0, 6)], salt);
    expect(lines.map(summary)).toEqual([
      '0 message 0/0',
      '1 gap 0/1',
      '2 message 0/5',
      '3 message 0/6',
    ]);
    expect(gaps).toBe(1);
  });

  it('adds nothing for what it knows', () => {
    const { state } = extend(emptyLog, [record(0, 0)], salt);
    expect(extend(state, [record(0, 0)], salt)).toEqual({ state, lines: [], gaps: 0, nodes: [] });
  });

  it('is the same again from a checkpoint and the lines after it', () => {
    const first = extend(emptyLog, [record(0, 0), record(1, 4), record(0, 1)], salt).state;
    const second = extend(first, [record(1, 5), record(0, 9)], salt);
    const checkpoint = JSON.parse(JSON.stringify(checkpointOf(first))) as ReturnType<
      typeof checkpointOf
    >;
    const restored = second.lines.reduce(
      (state, line) => replay(state, line, () => {}),
      stateAt(first.frontier.size, checkpoint),
    );
    expect(restored).toEqual(second.state);
  });
});

describe('a run of records for one entry', () => {
  it('loses none and keeps their order', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(700_000), { maxLength: 20 }), (sizes) => {
        const records = sizes.map((bytes, i) => record(0, i, bytes));
        expect(runsOf(records).flat()).toEqual(records);
      }),
      { numRuns: 20 },
    );
  });

  it('has at most 1 000 records and half a megabyte, or is one larger record', () => {
    const counts = (records: RawRecord[]) => runsOf(records).map((run) => run.length);
    expect(counts(Array.from({ length: 2_001 }, (_, i) => record(0, i)))).toEqual([
      1_000, 1_000, 1,
    ]);
    expect(counts([200_000, 300_000, 1, 900_000, 2].map((b, i) => record(0, i, b)))).toEqual([
      2, 1, 1, 1,
    ]);
  });
});
