import { describe, expect, it } from '@jest/globals';
import { type BatchLine, MAX_REPORT_BYTES, type MigrationReport } from '@tidegate/contracts';
import fc from 'fast-check';
import { withBatch } from './batch-lines.ts';
import { failureTally, rowsUpTo } from './tally.ts';
import { preservedTally } from './preserved-tally.ts';
import { evenlyOf } from './reservoir.ts';
import { sampleTally } from './sample-tally.ts';
import { shown, shortText } from './shown.ts';
import { bytesOf } from './size.ts';
import { stored } from './stored.ts';
import { createSum } from './sum.ts';

const sumOf = (values: readonly (string | number | bigint | boolean | null)[]): string => {
  const sum = createSum();
  values.forEach((value) => sum.add(value));
  return sum.words();
};

describe('a sum', () => {
  it('is the same in whatever order values come', () => {
    const value = fc.oneof(
      fc.maxSafeInteger(),
      fc.bigInt(),
      fc.string(),
      fc.double({ noNaN: true, min: -1e9, max: 1e9 }),
    );
    fc.assert(
      fc.property(fc.array(value), (values) => {
        const [a, b] = [sumOf(values), sumOf(values.toReversed())];
        // The last digits of a sum near 0 of large fractions are noise.
        if (values.every((each) => typeof each !== 'number' || Number.isInteger(each)))
          expect(a).toBe(b);
      }),
    );
  });
  it('is exact for integers of any size, and for cents', () => {
    expect(sumOf([9_007_199_254_740_991, 9_007_199_254_740_991, 10n ** 30n])).toBe(
      '1000000000000018014398509481982',
    );
    expect(sumOf(Array.from({ length: 1_000 }, () => 0.1))).toBe('100');
    expect(sumOf([true, false, true, null])).toBe('2');
  });
  it('tells one text from another', () => {
    expect(sumOf(['12.50', '7.00'])).toBe(sumOf(['7.00', '12.50']));
    expect(sumOf(['12.50', '7.00'])).not.toBe(sumOf(['12.50', '7.01']));
  });
});

describe('lines of batches', () => {
  const line = (batch: number): BatchLine => ({
    batch,
    batches: 1,
    first: batch * 10,
    last: batch * 10 + 9,
    changed: 10,
    skipped: 0,
    mismatched: 0,
    failed: 0,
    tookMs: 5,
    at: batch,
  });
  it('cover every batch in order, however many there are', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_000 }), (count) => {
        let lines: readonly BatchLine[] = [];
        for (let batch = 1; batch <= count; batch += 1) lines = withBatch(lines, line(batch));
        expect(lines.length).toBeLessThanOrEqual(64);
        expect(lines.at(-1)?.last).toBe(count * 10 + 9);
        let next = 1;
        for (const { batch, batches, first, last, changed } of lines) {
          expect([batch, first, changed]).toEqual([next, next * 10, batches * 10]);
          next += batches;
          expect(last).toBe(next * 10 - 1);
        }
        expect(next).toBe(count + 1);
      }),
      { numRuns: 30 },
    );
  });
});

describe('a value in a report', () => {
  it('is cut where it is long, and says by how much', () => {
    const document = {
      body: 'x'.repeat(16_000_000),
      list: Array.from({ length: 100_000 }, (_, index) => index),
      at: new Date(-86_400_000),
      size: 12345678901234567890n,
      ratio: NaN,
      raw: new Uint8Array(7),
      gone: undefined,
    };
    expect(shown(document)).toEqual({
      body: `${'x'.repeat(200)}… (15999800 characters more)`,
      list: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, '… 99990 more'],
      at: '1969-12-31T00:00:00.000Z',
      size: '12345678901234567890',
      ratio: 'NaN',
      raw: '7 bytes',
    });
  });
  it('never needs more than some kilobytes, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.object({ maxDepth: 8, withBigInt: true, withDate: true, withTypedArray: true }),
        (value) => {
          expect(Buffer.byteLength(JSON.stringify(shown(value)))).toBeLessThan(200_000);
        },
      ),
    );
    const wide = Object.fromEntries(
      Array.from({ length: 50_000 }, (_, index) => [`f${index}`, { a: ['é'.repeat(900)] }]),
    );
    expect(JSON.stringify(shown(wide)).length).toBeLessThan(60_000);
  });
  it('ends where it holds itself', () => {
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    expect(JSON.stringify(shown(loop))).toContain('…');
  });
  it('is hidden at the paths that are not to be seen, also in lists and in what was changed', () => {
    const hidden = new Set(['email', 'people.name', 'card']);
    const document = {
      email: 'a@b',
      people: [{ name: 'x', age: 3 }],
      card: { number: 1 },
      left: 1,
    };
    expect(shown(document, hidden)).toEqual({
      email: '(hidden)',
      people: [{ name: '(hidden)', age: 3 }],
      card: '(hidden)',
      left: 1,
    });
    expect(shown(1, hidden, ['card', 'number'])).toBe('(hidden)');
    expect(shown([{ name: 'x', age: 3 }], hidden, ['people'])).toEqual([
      { name: '(hidden)', age: 3 },
    ]);
  });
  it('ends where a type answers with itself', () => {
    const odd: { toJSON: () => unknown } = { toJSON: () => ({ ...odd }) };
    expect(JSON.stringify(shown(odd)).length).toBeLessThan(100);
  });
  it('does not end within a character', () => {
    expect(shortText('😀'.repeat(200), 3)).toBe('😀… (398 characters more)');
  });
  it("says a driver's type in its own words", () => {
    class Id {
      toJSON() {
        return '64f0';
      }
    }
    class Odd {
      toJSON() {
        throw new Error('no');
      }
    }
    expect(shown({ id: new Id(), odd: new Odd() })).toEqual({ id: '64f0', odd: 'a Odd' });
  });
});

describe('bytes of a document', () => {
  it('are those that BSON needs', () => {
    // As the bson package measures them.
    expect(bytesOf({})).toBe(5);
    expect(bytesOf({ a: 1 })).toBe(12);
    expect(bytesOf({ a: 1.5, text: 'grüße', list: [1, 2], flag: true, none: null })).toBe(72);
  });
});

describe('lists of a report', () => {
  it('have no more rows than they may, and count what has no place', () => {
    const rows = rowsUpTo(2, () => ({ n: 0 }));
    for (const name of ['a', 'b', 'c', 'a', 'c']) {
      const row = rows.of(name);
      if (row) row.n += 1;
    }
    expect(rows.entries()).toEqual([
      ['a', { n: 2 }],
      ['b', { n: 1 }],
    ]);
    expect(rows.leftOut()).toBe(2);
  });
  it('edit nothing that they look at', () => {
    const document = { marks: [3, 1, 2] };
    const tally = preservedTally({
      preserved: [{ name: 'last', of: ({ marks }) => (marks as number[]).reverse()[0] as number }],
    });
    tally.add(document);
    expect(document.marks).toEqual([3, 1, 2]);
    expect(tally.lines()).toMatchObject([{ sum: '2' }]);
  });

  it('have a checksum of what is preserved where it is a decimal of the database, and take absent for null', () => {
    const tally = preservedTally({
      preserved: [{ name: 'balance', of: ({ balance }) => balance as number }],
    });
    for (const balance of ['1.10', '2.25']) tally.add({ balance: { toString: () => balance } });
    tally.add({});
    const [line] = tally.lines();
    expect(line).toMatchObject({ documents: 3, sum: expect.stringMatching(/^text:[0-9a-f]{16}$/) });
  });
  it('name the first documents of each failure', () => {
    const tally = failureTally();
    for (let key = 1; key <= 8; key += 1)
      tally.add(key, key % 4 === 0 ? 'RARE' : 'OFTEN', `on ${key}`);
    expect(tally.failures()).toEqual([
      {
        code: 'OFTEN',
        count: 6,
        examples: [1, 2, 3, 5, 6].map((key) => ({ key, message: `on ${key}` })),
      },
      { code: 'RARE', count: 2, examples: [4, 8].map((key) => ({ key, message: `on ${key}` })) },
    ]);
  });
  it('have a sample of each kind of change, also of one that comes late', () => {
    const tally = sampleTally();
    const edit = { before: { a: 1 }, after: { a: 2 }, changes: [{ path: ['a'], value: 2 }] };
    for (let key = 1; key <= 100_000; key += 1)
      tally.add(key, undefined, key === 99_000 ? 'rare' : 'usual', edit);
    expect(tally.samples()).toHaveLength(8);
    expect(tally.samples().map(({ key }) => key)).toContain(99_000);
  });
  it('are even, however long what they are taken from', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5_000 }),
        fc.integer({ min: 1, max: 60 }),
        (length, wanted) => {
          const some = evenlyOf<number>(wanted);
          for (let item = 0; item < length; item += 1) some.add(item);
          const items = some.items();
          expect(items.length).toBeGreaterThanOrEqual(Math.min(length, wanted));
          expect(items.length).toBeLessThanOrEqual(2 * wanted);
          const steps = new Set(
            items.slice(1).map((item, index) => item - (items[index] as number)),
          );
          expect(steps.size).toBeLessThanOrEqual(1);
        },
      ),
    );
  });
});

it('a report is cut where a message could not hold it, and says what is missing', () => {
  const long = '語'.repeat(80);
  const rows = Array.from({ length: 1_000 }, (_, index) => ({
    from: `${long}${index}`,
    to: long,
    count: 1,
  }));
  const groups = rows.map(({ from }) => ({ group: from, pending: 1, wouldChange: 1, failed: 0 }));
  const report = {
    about: 'documents',
    action: 'plan',
    mapping: rows,
    mappingLeftOut: 5,
    groups,
    groupsLeftOut: 0,
  };
  const kept = stored(report as unknown as MigrationReport);
  expect(Buffer.byteLength(JSON.stringify(kept))).toBeLessThanOrEqual(MAX_REPORT_BYTES);
  expect(kept['groups']).toHaveLength(1_000);
  expect(Number(kept['mappingLeftOut'])).toBe(5 + 1_000 - (kept['mapping'] as []).length);
});
