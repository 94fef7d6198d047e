import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { editOf, equal, isPlain, type Path, restore, type Row, valueAt } from './index.ts';

const at = (path: string): Path => path.split('.');
const changes = (before: Row, after: Row): Record<string, unknown> =>
  Object.fromEntries(
    editOf(before, after).changes.map(({ path, value }) => [path.join('/'), value]),
  );

describe('the edit from one document to another', () => {
  it('names the innermost paths through objects, and takes a list for one value', () => {
    expect(changes({ a: { b: { c: 1, d: 2 }, e: 3 } }, { a: { b: { c: 9, d: 2 }, e: 3 } })).toEqual(
      {
        'a/b/c': 9,
      },
    );
    expect(changes({ a: [{ b: 1 }] }, { a: [{ b: 2 }] })).toEqual({ a: [{ b: 2 }] });
    expect(changes({ a: 1 }, { a: 1, b: { c: 1 } })).toEqual({ b: { c: 1 } });
    expect(changes({ a: { b: 1, c: 2 } }, { a: { b: 1 } })).toEqual({ 'a/c': undefined });
  });

  it('takes null and absent for the same outside, and for two things inside', () => {
    expect(changes({ a: null }, {})).toEqual({});
    expect(changes({ a: { b: null } }, { a: {} })).toEqual({ 'a/b': undefined });
  });

  it('takes no inherited name for a field', () => {
    expect(changes({ a: { constructor: 1, b: 1 } }, { a: { b: 1 } })).toEqual({
      'a/constructor': undefined,
    });
  });

  it('writes an object whole where a name in it would be read as a path or an operator', () => {
    for (const name of ['a.b', '$set', '']) {
      const after = { deep: { of: { [name]: 2, x: 1 } } };
      expect(changes({ deep: { of: { [name]: 1, x: 1 } } }, after)).toEqual({
        'deep/of': after.deep.of,
      });
    }
  });

  it('sees dates, bytes and values of a database by what they say', () => {
    class ObjectId {
      readonly _bsontype = 'ObjectId';
      constructor(readonly id: string) {}
    }
    const before = { at: new Date(-5), bytes: new Uint8Array([1]), of: new ObjectId('a'), n: NaN };
    const same = { at: new Date(-5), bytes: new Uint8Array([1]), of: new ObjectId('a'), n: NaN };
    expect(changes(before, same)).toEqual({});
    const other = { at: new Date(5), bytes: new Uint8Array([2]), of: new ObjectId('b'), n: NaN };
    expect(Object.keys(changes(before, other))).toEqual(['at', 'bytes', 'of']);
  });

  it('compares the whole document, or what is read and what is changed, nothing of it twice', () => {
    const [before, after] = [
      { a: { b: 1, c: 2 }, d: 1, e: 1 },
      { a: { b: 2, c: 2 }, d: 2, e: 1 },
    ];
    expect(editOf(before, after).compare).toBeUndefined();
    expect(editOf(before, after, []).compare).toEqual([['d'], ['a', 'b']]);
    expect(editOf(before, after, [at('a'), at('e')]).compare).toEqual([['a'], ['e'], ['d']]);
  });
});

const name = fc.constantFrom('a', 'b', 'c', 'a.b', '$x', '', '__proto__', 'constructor');
const { document } = fc.letrec<{ document: Row; value: unknown }>((tie) => ({
  document: fc.dictionary(name, tie('value'), { maxKeys: 4 }),
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(1, 2, 'x', null, true, 2n ** 60n),
    fc.date({ noInvalidDate: true }),
    fc.array(fc.constantFrom(1, 2, null), { maxLength: 2 }),
    tie('document'),
  ),
}));
/** Outside, null is as good as absent. */
const withoutNulls = (row: Row): Row =>
  Object.fromEntries(Object.entries(row).filter(([, value]) => (value ?? null) !== null));

/** What a database does with the changes, slowly. */
function written(document: Row, edit: { path: Path; value: unknown }[]): Row {
  let copy = structuredClone(document);
  for (const { path, value } of edit) {
    const entries = (row: Row, [first, ...rest]: Path): Row => {
      const others = Object.entries(row).filter(([each]) => each !== first);
      const next = rest.length === 0 ? value : entries(row[first!] as Row, rest);
      return Object.fromEntries(next === undefined ? others : [...others, [first!, next]]);
    };
    copy = entries(copy, path);
  }
  return copy;
}

describe('for any two documents', () => {
  it('the changes make the one of the other, through objects that are there', () => {
    fc.assert(
      fc.property(document, document, (before, after) => {
        const { changes } = editOf(before, after);
        for (const { path } of changes)
          for (let end = 1; end < path.length; end += 1)
            expect(isPlain(valueAt(before, path.slice(0, end)))).toBe(true);
        const made = withoutNulls(written(before, [...changes]));
        expect(equal(made, withoutNulls(after))).toBe(true);
        expect(changes.length === 0).toBe(equal(withoutNulls(before), withoutNulls(after)));
      }),
    );
  });

  it('restoring the changed paths gives the document back, and keeps what others changed since', () => {
    fc.assert(
      fc.property(document, document, fc.integer(), (before, after, other) => {
        const paths = editOf(before, after).changes.map(({ path }) => path);
        const current = { ...after, other };
        const back = restore(current, before, paths).after;
        expect(equal(withoutNulls(back), withoutNulls({ ...before, other }))).toBe(true);
      }),
    );
  });
});

it('copies what lies around many changes once', () => {
  const names = Array.from({ length: 40_000 }, (_, index) => `wallet-${index}`);
  const wide = (value: number): Row => ({
    id: 1,
    data: Object.fromEntries(names.map((name) => [name, value])),
  });
  const before = wide(1);
  const paths = names.map((name) => ['data', name]);
  expect(equal(restore(wide(2), before, paths, [['id']]).after, before)).toBe(true);
  expect(before).toEqual(wide(1));
});
