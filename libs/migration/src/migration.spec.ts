import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  applyDown,
  conditionsOf,
  defineMigration,
  type Filter,
  matches,
  type Migration,
  migrationProblems,
  pathsOf,
  transform,
} from './index.ts';

const totals = defineMigration<{ id: number; items: number; price: number; total: number | null }>({
  id: 'order-totals',
  target: 'checkout',
  collection: 'orders',
  pending: { total: { equals: null } },
  up: (order) => ({ ...order, total: order.items * order.price }),
  invariants: [{ name: 'total-not-negative', holds: ({ total }) => total === null || total >= 0 }],
});

describe('transform', () => {
  it('names the fields that changed', () => {
    expect(transform(totals as never, { id: 1, items: 2, price: 3, total: null })).toEqual({
      kind: 'changed',
      before: { id: 1, items: 2, price: 3, total: null },
      after: { id: 1, items: 2, price: 3, total: 6 },
      changes: [{ path: ['total'], value: 6 }],
    });
  });

  it('changes nothing the second time', () => {
    expect(transform(totals as never, { id: 1, items: 2, price: 3, total: 6 }).kind).toBe(
      'unchanged',
    );
  });

  it('says shortly why, also where up throws the whole document', () => {
    const up = (): never => {
      throw new Error(`bad ${'x'.repeat(1_000_000)}`);
    };
    const failed = transform({ ...totals, up }, { id: 7 });
    expect(failed).toMatchObject({ code: 'MIGRATION_UP_FAILED' });
    const { message } = failed as { message: string };
    expect(message.length).toBeLessThanOrEqual(500);
    expect(message).toMatch(/^up failed \(bad x.* on orders 7\.$/);
  });

  it.each([
    [
      'throws',
      {
        up: () => {
          throw new Error('no price');
        },
      },
      'MIGRATION_UP_FAILED',
    ],
    [
      'changes the key',
      { up: (row: object) => ({ ...row, id: 9, total: 1 }) },
      'MIGRATION_KEY_CHANGED',
    ],
    ['leaves the document pending', { up: (row: object) => row }, 'MIGRATION_STILL_PENDING'],
    [
      'breaks an invariant',
      { up: (row: object) => ({ ...row, total: -1 }) },
      'MIGRATION_INVARIANT_BROKEN',
    ],
    [
      'gives what an invariant fails on',
      {
        up: (row: object) => ({ ...row, total: 1 }),
        invariants: [{ name: 'has-tax', holds: (row: { tax: { rate: number } }) => row.tax.rate }],
      },
      'MIGRATION_INVARIANT_BROKEN',
    ],
    ['is async', { up: async (row: object) => ({ ...row, total: 1 }) }, 'MIGRATION_UP_FAILED'],
    ['returns nothing', { up: () => undefined }, 'MIGRATION_UP_FAILED'],
    ['returns a list', { up: (row: object) => [row] }, 'MIGRATION_UP_FAILED'],
    [
      'computes no number',
      { up: (row: object) => ({ ...row, total: Number.NaN }) },
      'MIGRATION_VALUE_UNUSABLE',
    ],
    [
      'gives a map to a field',
      { up: (row: object) => ({ ...row, total: 1, extra: new Map() }) },
      'MIGRATION_VALUE_UNUSABLE',
    ],
  ])('writes nothing when up %s', (_what, wrong, code) => {
    const result = transform({ ...totals, ...wrong } as never, { id: 1, total: null });
    expect(result).toMatchObject({ kind: 'failed', code });
  });

  it('says which document and what was wrong with it', () => {
    const messageFor = (wrong: object) => {
      const result = transform({ ...totals, ...wrong }, { id: 7, total: null });
      return result.kind === 'failed' ? result.message : result.kind;
    };
    expect(messageFor({ up: async (row: object) => row })).toBe(
      'up gave a value of type Promise instead of a document on orders 7.',
    );
    expect(messageFor({ up: (row: object) => ({ ...row, total: 2 * Number.NaN }) })).toBe(
      'up gives total of orders 7 NaN, which no database keeps.',
    );
  });

  it('takes dates, bytes, large integers and what JSON can say', () => {
    const total = 5;
    for (const extra of [new Date(0), new Uint8Array([1]), 2n ** 60n, { a: [1] }, ['x'], 'x', true])
      expect(
        transform(
          { ...totals, up: (row: object) => ({ ...row, total, extra }) },
          {
            id: 1,
            total: null,
          },
        ),
      ).toMatchObject({ kind: 'changed', changes: [{ path: ['total'] }, { path: ['extra'] }] });
  });

  it.each([
    ['deep inside', { deep: { list: [1, { n: Number.NaN }] } }],
    ['as a date', { at: new Date(Number.NaN) }],
    ['as a function', { f: () => 1 }],
    ['as a hole in a list', { list: [1, undefined] }],
  ])('refuses what no database keeps %s', (_where, extra) => {
    const up = (row: object) => ({ ...row, total: 1, extra });
    expect(transform({ ...totals, up }, { id: 1, total: null })).toMatchObject({
      code: 'MIGRATION_VALUE_UNUSABLE',
    });
  });

  it('refuses a document that contains itself', () => {
    const up = (row: Record<string, unknown>) => ({ ...Object.assign(row, { row }), total: 1 });
    expect(transform({ ...totals, up }, { id: 1, total: null })).toMatchObject({
      code: 'MIGRATION_UP_FAILED',
    });
  });

  it('leaves a NaN alone that was there, and takes away fields that are undefined', () => {
    const up = (row: Record<string, unknown>) => ({
      ...row,
      total: 1,
      list: [...(row['list'] as unknown[]), 2],
      old: undefined,
      fresh: { kept: true, none: undefined },
    });
    const before = { id: 1, total: null, rate: Number.NaN, list: [Number.NaN], old: 5 };
    expect(transform({ ...totals, up }, before)).toMatchObject({
      after: { rate: Number.NaN, fresh: { kept: true } },
      changes: [
        { path: ['total'], value: 1 },
        { path: ['list'], value: [Number.NaN, 2] },
        { path: ['old'], value: undefined },
        { path: ['fresh'], value: { kept: true } },
      ],
    });
  });

  it('compares only what the migration reads and changes, and what makes the document pending', () => {
    const reading = { ...totals, reads: ['items', 'price'] } as unknown as Migration;
    const filtered = { ...reading, filter: { kind: { equals: 'order' } } };
    expect(
      transform(filtered, { id: 1, items: 2, price: 3, total: null, kind: 'order' }),
    ).toMatchObject({ compare: [['items'], ['price'], ['total'], ['kind']] });
  });

  it('refuses to change what is to be preserved, beyond rounding', () => {
    const keeping = (balance: (was: number) => unknown) =>
      transform(
        {
          id: 'x',
          target: 'x',
          collection: 'wallets',
          pending: { v: { equals: null } },
          up: (row: Record<string, unknown>) => ({
            ...row,
            v: 1,
            balance: balance(Number(row['balance'])),
          }),
          preserved: [{ name: 'balance', of: ({ balance }) => balance as number }],
        },
        { _id: 'w', balance: 0.3 },
      );
    expect(keeping((was) => was - 0.1 + 0.1).kind).toBe('changed');
    expect(keeping((was) => was + 0.001)).toMatchObject({
      code: 'MIGRATION_PRESERVED_CHANGED',
      message: 'up changes balance from 0.3 to 0.301 of wallets w.',
    });
  });

  it('takes no promise for an answer, and lets none that fails end the process', () => {
    const late = async () => {
      throw new Error('too late');
    };
    const asked = (more: object) =>
      transform({ ...totals, ...more }, { id: 1, items: 2, price: 3, total: null });
    expect(asked({ invariants: [{ name: 'held', holds: late }] })).toMatchObject({
      code: 'MIGRATION_INVARIANT_BROKEN',
      message: expect.stringContaining('a value of type Promise instead of true or false'),
    });
    expect(asked({ preserved: [{ name: 'sum', of: late }] })).toMatchObject({
      code: 'MIGRATION_PRESERVED_CHANGED',
      message: expect.stringContaining('of gives a promise'),
    });
    const kept = { name: 'sum', of: () => 1, by: late };
    expect(asked({ preserved: [kept] })).toMatchObject({ code: 'MIGRATION_PRESERVED_CHANGED' });
  });

  it('takes a document of MongoDB by its _id, and leaves its id to the user', () => {
    const up = (row: Record<string, unknown>) => ({ ...row, id: 5, total: 1 });
    const wrong = (row: Record<string, unknown>) => ({ ...row, _id: 'b', total: 1 });
    const given = { _id: 'a', total: null };
    expect(transform({ ...totals, up }, given).kind).toBe('changed');
    expect(transform({ ...totals, up: wrong }, given)).toMatchObject({
      code: 'MIGRATION_KEY_CHANGED',
    });
  });

  it('does not let up edit the document it was given', () => {
    const before = { id: 1, items: 2, price: 3, total: null };
    const editing = {
      ...totals,
      up: (row: { total: number | null }) => Object.assign(row, { total: 6 }),
    };
    expect(transform(editing as never, before)).toMatchObject({ before: { total: null } });
  });

  it('writes and compares what up gave, whatever invariants and sums edit to look at it', () => {
    const sorted = ({ marks }: { marks: number[] }) => marks.sort((a, b) => a - b);
    const best = defineMigration<{ id: number; marks: number[]; best: number | null }>({
      id: 'best-marks',
      target: 'school',
      collection: 'pupils',
      pending: { best: { exists: false } },
      up: (pupil) => ({ ...pupil, best: Math.max(...pupil.marks) }),
      invariants: [{ name: 'no-mark-below-0', holds: (pupil) => Number(sorted(pupil)[0]) >= 0 }],
      preserved: [
        {
          name: 'worst',
          of: (pupil) => sorted(pupil)[0] ?? null,
          by: (pupil) => `${pupil.marks.pop()}`,
        },
      ],
    });
    const before = { id: 1, marks: [3, 1, 2], best: null };
    expect(transform(best, before)).toEqual({
      kind: 'changed',
      before: { id: 1, marks: [3, 1, 2], best: null },
      after: { id: 1, marks: [3, 1, 2], best: 3 },
      changes: [{ path: ['best'], value: 3 }],
    });
  });
});

describe('the way back', () => {
  const base: Migration = { ...(totals as unknown as Migration) };
  const after = { id: 1, items: 2, price: 3, total: 6 };

  it('is down, held to the same promises', () => {
    const down = (row: object) => ({ ...row, total: null });
    expect(applyDown({ ...base, down }, after)).toMatchObject({
      kind: 'changed',
      changes: [{ path: ['total'], value: null }],
    });
    const of = (wrong: Migration['up']) => applyDown({ ...base, down: wrong }, after);
    expect(of((row) => ({ ...row, total: null, id: 2 }))).toMatchObject({
      code: 'MIGRATION_KEY_CHANGED',
    });
    expect(of((row) => ({ ...row, total: 7 }))).toMatchObject({
      code: 'MIGRATION_NOT_PENDING_AGAIN',
      message: 'orders 1 is not pending again after down.',
    });
    expect(
      of(() => {
        throw new Error('no way');
      }),
    ).toMatchObject({ code: 'MIGRATION_DOWN_FAILED' });
  });

  it('is refused where there is no down', () => {
    expect(applyDown(base, after)).toMatchObject({ code: 'MIGRATION_NOT_REVERSIBLE' });
  });
});

describe('a filter', () => {
  it('reaches through objects, and finds nothing behind a list or a value', () => {
    const filter: Filter = { 'address.city': { equals: 'Rome' } };
    expect(matches(filter, { address: { city: 'Rome' } })).toBe(true);
    for (const address of [[{ city: 'Rome' }], 'Rome', null, new Date(0)])
      expect(matches(filter, { address })).toBe(false);
    expect(matches({ 'address.city': { exists: false } }, { address: [{ city: 'Rome' }] })).toBe(
      true,
    );
    expect(matches({ constructor: { exists: false } }, {})).toBe(true);
  });

  it('takes one of several, beside what must hold anyway', () => {
    const filter: Filter = {
      kind: { equals: 'a' },
      anyOf: [{ v: { exists: false } }, { v: { below: 2 }, old: { exists: true } }],
    };
    expect(matches(filter, { kind: 'a' })).toBe(true);
    expect(matches(filter, { kind: 'a', v: 1, old: 0 })).toBe(true);
    expect(matches(filter, { kind: 'a', v: 1 })).toBe(false);
    expect(matches(filter, { kind: 'b' })).toBe(false);
    expect(pathsOf(filter)).toEqual([['kind'], ['v'], ['v'], ['old']]);
    expect(conditionsOf({ 'a.b': { equals: 1 } })).toEqual([
      { path: ['a', 'b'], test: { equals: 1 } },
    ]);
  });

  it('orders texts by code point and NaN not at all', () => {
    expect(matches({ t: { above: '\uffff' } }, { t: '\u{1f600}' })).toBe(true);
    expect(matches({ t: { below: 'b' } }, { t: 'a' })).toBe(true);
    expect(matches({ t: { atMost: 'ab' } }, { t: 'abc' })).toBe(false);
    for (const test of ['above', 'atLeast', 'below', 'atMost'])
      expect(matches({ n: { [test]: 1 } }, { n: Number.NaN })).toBe(false);
  });

  it('is typed on the fields that the document names', () => {
    const known: Filter<{ id: number; address: { city: string } }> = {
      'address.city': { exists: true },
      anyOf: [{ id: { above: 5 } }],
    };
    // @ts-expect-error there is no such field
    const unknown: Filter<{ id: number }> = { total: { equals: null } };
    expect([known, unknown]).toHaveLength(2);
  });

  it('takes null and absent for the same', () => {
    const filter: Filter = { total: { equals: null } };
    expect(matches(filter, {})).toBe(true);
    expect(matches(filter, { total: null })).toBe(true);
    expect(matches(filter, { total: 0 })).toBe(false);
  });

  it('takes true for 1, and a large integer for what it is', () => {
    expect(matches({ done: { equals: true } }, { done: 1 })).toBe(true);
    expect(matches({ done: { not: true } }, { done: 1 })).toBe(false);
    expect(matches({ done: { in: [false] } }, { done: 0 })).toBe(true);
    expect(matches({ n: { equals: 5 } }, { n: 5n })).toBe(true);
    expect(matches({ n: { equals: 2n ** 60n } }, { n: 2n ** 60n + 1n })).toBe(false);
    expect(matches({ n: { above: 5 } }, { n: 2n ** 60n })).toBe(true);
    expect(matches({ n: { equals: 1 } }, { n: '1' })).toBe(false);
  });

  it('orders only values of its own type, and never null', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (value, bound) => {
        expect(matches({ n: { above: bound } }, { n: value })).toBe(value > bound);
        expect(matches({ n: { atMost: bound } }, { n: value })).toBe(value <= bound);
        expect(matches({ n: { above: bound } }, { n: null })).toBe(false);
        expect(matches({ n: { above: bound } }, { n: String(value) })).toBe(false);
      }),
    );
  });
});

describe('a loaded definition', () => {
  it('is told every field that is wrong', () => {
    expect(migrationProblems({ id: 'Order Totals', collection: 'orders' })).toEqual([
      'id: expected lower-case words with dashes',
      'target: expected the name of a configured database',
      'up: expected a function of one document',
      'pending: expected a filter, { field: { equals: … } }',
    ]);
    expect(migrationProblems(totals)).toEqual([]);
    expect(migrationProblems(undefined)).toHaveLength(1);
  });

  it.each([
    [{ pending: {} }, 'pending: expected a filter that is true before up and false after it'],
    [{ pending: { total: null } }, 'pending.total: expected a test, one of equals, not, in, '],
    [{ pending: { total: {} } }, 'pending.total: expected a test, one of equals, not, in, '],
    [
      { pending: { total: { eq: null } } },
      'pending.total.eq: there is no such test; expected one ',
    ],
    [{ pending: { total: { in: 5 } } }, 'pending.total.in: expected a list of such values'],
    [{ pending: { total: { above: null } } }, 'pending.total.above: expected text or a number'],
    [{ pending: { total: { equals: NaN } } }, 'pending.total.equals: expected text, a number, '],
    [{ pending: { total: { exists: 1 } } }, 'pending.total.exists: expected true or false'],
    [{ pending: { 'a..b': { exists: true } } }, 'pending.a..b: expected names that are joined by '],
    [{ pending: { anyOf: [] } }, 'pending.anyOf: expected a list of filters, one of which must'],
    [{ pending: { anyOf: [{}] } }, 'pending.anyOf[0]: expected a filter that does not take every'],
    [{ pending: { anyOf: [{ a: {} }] } }, 'pending.anyOf[0].a: expected a test, one of equals, '],
    [{ filter: { total: { like: 'x' } } }, 'filter.total.like: there is no such test; expected '],
    [{ invariants: [{ name: 'x' }] }, 'invariants: expected a list of { name, holds(document) }'],
    [{ down: 'sql' }, 'down: expected a function of one document'],
    [{ filters: {} }, 'filters: there is no such field here; expected id, target, collection, '],
    [{ phase: 'before' }, 'phase: expected one of schema, data, cutover, cleanup'],
    [{ phase: 'cleanup' }, 'dependsOn: expected the cutover, or the migrations, that a cleanup '],
    [{ dependsOn: ['order-totals'] }, 'dependsOn: a migration cannot depend on itself'],
    [{ dependsOn: 'x' }, 'dependsOn: expected a list of ids of migrations'],
    [{ reads: ['a..b'] }, 'reads: expected a list of fields, or of paths such as address.city'],
    [{ hidden: 'a' }, 'hidden: expected a list of fields, or of paths such as address.city'],
    [{ samples: [5] }, 'samples: expected a list of documents'],
    [{ unsafe: { slow: 'x' } }, 'unsafe.slow: there is no such rule; expected one of unindexed-'],
    [{ unsafe: { impure: ' ' } }, 'unsafe.impure: expected the reason why that is right here'],
    [{ preserved: [{ name: 'sum' }] }, 'preserved: expected a list of { name, of(document), by?'],
    [
      { preserved: [{ name: 'a', of: () => 1, per: () => 'x' }] },
      'preserved[0].per: there is no such field here; expected name, of, by',
    ],
    [
      { invariants: ['a', 'a'].map((name) => ({ name, holds: () => true })) },
      'invariants: there are two named a',
    ],
  ])('is told what is wrong in %j', (wrong, problem) => {
    expect(migrationProblems({ ...totals, ...wrong })).toEqual([expect.stringContaining(problem)]);
  });

  it.each([
    [{}, 'indexes, columns, validators: expected at least one of them'],
    [{ indexes: {} }, 'indexes: expected a list of { name, fields }'],
    [{ indexes: [{ name: 'i', fields: {} }] }, 'indexes[0].fields: expected paths in their order'],
    [{ indexes: [{ name: 'i', fields: { a: 2 } }] }, 'indexes[0].fields: expected paths in their'],
    [{ indexes: [{ fields: { a: 1 } }] }, 'indexes[0].name: expected text'],
    [
      { indexes: [{ name: 'i', fields: { a: 1 }, uniqe: true }] },
      'indexes[0].uniqe: there is no such field here; expected name, fields, unique',
    ],
    [{ columns: [{ name: 'c' }] }, 'columns[0].type: expected a type in the words of the data'],
    [{ validators: [{ name: 'v', rule: { a: {} } }] }, 'validators[0].rule.a: expected a test, '],
    [{ up: () => 1, columns: [{ name: 'c', type: 'text' }] }, 'up: there is no such field here; '],
    [
      { columns: ['a', 'a'].map((name) => ({ name, type: 'text' })) },
      'columns[1].name: there are two named a',
    ],
  ])('of a schema is told what is wrong in %j', (wrong, problem) => {
    const schema = { id: 's', target: 't', collection: 'c', phase: 'schema' };
    expect(migrationProblems({ ...schema, ...wrong })).toEqual([expect.stringContaining(problem)]);
  });

  it('of a schema or a cutover is taken when it is right', () => {
    const common = { target: 't', collection: 'c' };
    const [schema, cutover] = [
      {
        ...common,
        id: 's',
        phase: 'schema',
        indexes: [{ name: 'i', fields: { 'a.b': 1, c: -1 }, unique: true }],
        validators: [{ name: 'v', rule: { a: { exists: true } } }],
      },
      { ...common, id: 'x', phase: 'cutover', flag: 'new', variant: 'on', dependsOn: ['s'] },
    ];
    expect(migrationProblems(schema)).toEqual([]);
    expect(migrationProblems(cutover)).toEqual([]);
    expect(migrationProblems({ ...cutover, flag: '', dependsOn: [] })).toEqual([
      'flag: expected the key of a flag',
      'dependsOn: expected the migrations that must be verified before reads are switched',
    ]);
  });
});
