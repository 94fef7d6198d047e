import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { editOf, type Row } from '@tidegate/migration';
import { checksum, checksums } from './checksum.ts';

const json = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<unknown>;
const document = fc.dictionary(fc.string({ maxLength: 4 }), json) as fc.Arbitrary<Row>;
const whole = (row: Row) => checksum(row, undefined);
const shuffled = (row: Row): Row => Object.fromEntries(Object.entries(row).reverse());

describe('a checksum', () => {
  it('is the same in whatever order a database gives the fields', () => {
    fc.assert(
      fc.property(document, document, (row, inner) => {
        expect(whole(shuffled({ ...row, inner: shuffled(inner) }))).toBe(whole({ ...row, inner }));
      }),
    );
  });

  it('is another one when one value is another', () => {
    fc.assert(
      fc.property(document, json, json, (row, a, b) => {
        const same = JSON.stringify([a ?? null]) === JSON.stringify([b ?? null]);
        fc.pre(!same && typeof a === typeof b && typeof a !== 'object' && !isNumeric(a));
        expect(whole({ ...row, x: a })).not.toBe(whole({ ...row, x: b }));
      }),
    );
  });

  it.each<[string, unknown, unknown]>([
    ['a boolean that became a number', true, 1],
    ['a date that became text', new Date(-1), '1969-12-31T23:59:59.999Z'],
    ['an object that became text', { a: [1, { b: null }] }, '{ "a": [1, {"b":null}] }'],
    ['a decimal with zeros at its end', 1.5, '1.500'],
    ['a whole number with a fraction', 20, '20.00'],
    ['an integer too large for a number', 9007199254740993n, '9007199254740993'],
    ['a great number', 1e21, '1000000000000000000000'],
    ['zero with a sign', -0, '0.0'],
    ['a column without a value', undefined, null],
  ])('is the same for %s', (_what, given, back) => {
    expect(whole({ id: 1, x: given })).toBe(whole({ id: 1, x: back }));
  });

  it.each<[string, unknown, unknown]>([
    ['texts that begin as JSON does', '{a', '{b'],
    ['numbers that a double cannot tell apart', 9007199254740993n, 9007199254740992n],
    ['null inside and absent', { a: null }, {}],
    ['bytes', new Uint8Array([1]), new Uint8Array([2])],
    ['NaN and a number', NaN, 0],
    ['fractions', 0.1, 0.2],
    ['signs', '-5', '5'],
  ])('tells apart %s', (_what, a, b) => {
    expect(whole({ x: a })).not.toBe(whole({ x: b }));
  });

  it('of an edit are those of its documents', () => {
    fc.assert(
      fc.property(document, document, (before, after) => {
        const edit = editOf(before, after);
        expect(checksums(edit)).toEqual([whole(before), whole(after)]);
      }),
    );
  });

  it('of paths sees what lies at them, and nothing else', () => {
    const paths = [['a', 'b'], ['c']];
    const of = (row: Row) => checksum(row, paths);
    const row = { a: { b: 1, other: 1 }, c: 'x', d: 1 };
    expect(of({ ...row, a: { b: 1, other: 2 }, d: 2 })).toBe(of(row));
    expect(of({ ...row, a: { b: 2, other: 1 } })).not.toBe(of(row));
    expect(of({ ...row, a: [] })).not.toBe(of(row));
    expect(of({ ...row, c: null })).not.toBe(of(row));
  });
});

const isNumeric = (value: unknown): boolean =>
  typeof value !== 'string' ? false : value.trim() !== '' && /^[-\d.[{]/.test(value);
