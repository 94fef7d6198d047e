import { describe, expect, it } from '@jest/globals';
import type { Comparison, Condition, Operator, Scalar } from '@tidegate/contracts';
import { compileCondition } from './condition.ts';

type Operand = Scalar | readonly Scalar[];
const comparison = (operator: Operator, operand: Operand, more: Partial<Comparison> = {}) =>
  ({
    attribute: 'a',
    operator,
    ...(Array.isArray(operand) ? { values: operand } : { value: operand }),
    ...more,
  }) as Comparison;

/** What the condition says of the context, and how often it found a wrong type. */
function ask(condition: Condition, context: Record<string, unknown>) {
  let mistyped = 0;
  const test = compileCondition(condition, {
    segment: (key) => (asked) => asked[`in-${key}`] === true,
    mistyped: () => {
      mistyped += 1;
    },
  });
  return { holds: test(context), mistyped };
}
const YES = { holds: true, mistyped: 0 };
const NO = { holds: false, mistyped: 0 };
const WRONG = { holds: false, mistyped: 1 };

describe('comparisons', () => {
  it.each<[Operator, Operand, unknown, typeof YES]>([
    ['equals', 'x', 'x', YES],
    ['equals', 'x', 'X', NO],
    ['equals', 'x', 5, WRONG],
    ['equals', 5, '5', WRONG],
    ['equals', 0, 0, YES],
    ['equals', 0, false, WRONG],
    ['equals', 0, Number.NaN, WRONG],
    ['equals', '', '', YES],
    ['equals', false, false, YES],
    ['equals', true, false, NO],
    ['equals', 'x', ['x'], WRONG],
    ['in', ['AT', 'DE'], 'DE', YES],
    ['in', ['AT', 'DE'], 'FR', NO],
    ['in', ['AT', 1], 1, YES],
    ['in', ['AT', 1], 2, NO],
    ['in', ['AT', 1], true, WRONG],
    ['in', [1, 2], Number.POSITIVE_INFINITY, WRONG],
    ['starts-with', ['ab', 'x'], 'xyz', YES],
    ['starts-with', ['ab', 'x'], 'yz', NO],
    ['starts-with', ['1'], 12, WRONG],
    ['ends-with', ['@example.com'], 'ann@example.com', YES],
    ['ends-with', ['@example.com'], 'ann@example.com.evil', NO],
    ['contains', ['dog', 'cat'], 'a cat here', YES],
    ['contains', ['dog', 'cat'], 'a bird', NO],
    ['contains', ['beta'], ['alpha', 'beta'], YES],
    ['contains', ['bet'], ['alpha', 'beta'], NO],
    ['contains', ['beta'], [1, null], NO],
    ['contains', ['beta'], { beta: true }, WRONG],
    ['contains', ['カート'], '買い物カート', YES],
    ['less-than', 5, 4, YES],
    ['less-than', 5, 5, NO],
    ['at-most', 5, 5, YES],
    ['greater-than', 5, 5, NO],
    ['greater-than', -1, 0, YES],
    ['at-least', 5, 5, YES],
    ['at-least', 5, '6', WRONG],
    ['at-least', 5, Number.NaN, WRONG],
    ['at-least', 5, Number.POSITIVE_INFINITY, WRONG],
    ['at-least', 5, 6n, WRONG],
    ['before', '2026-01-01T00:00:00Z', '2025-12-31T23:59:59Z', YES],
    ['before', '2026-01-01T00:00:00Z', '2026-01-01T00:30:00+01:00', YES],
    ['before', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', NO],
    ['before', '2026-01-01T00:00:00Z', 0, YES],
    ['after', 0, '1970-01-01T00:00:00.001Z', YES],
    ['after', 0, '1970-01-01', WRONG],
    ['after', 0, 'tomorrow', WRONG],
    ['after', 'tomorrow', 5, WRONG],
    ['semver', '>=2.4.0 <3', '2.10.0', YES],
    ['semver', '>=2.4.0 <3', 'v2.4.0', YES],
    ['semver', '>=2.4.0 <3', '3.0.0', NO],
    ['semver', '>=2.4.0 <3', '2.5.0-beta.1', YES],
    ['semver', '>=2.4.0 <3', '2.4.0-beta.1', NO],
    ['semver', '>=2.4.0 <3', '3.0.0-beta.1', NO],
    ['semver', '^1.2.0', '1.2.0+build.7', YES],
    ['semver', '>=2.4.0', '2.4', WRONG],
    ['semver', '>=2.4.0', 2, WRONG],
    ['semver', 'newest', '2.4.0', WRONG],
    ['cidr', ['10.0.0.0/8', '2001:db8::/32'], '10.1.2.3', YES],
    ['cidr', ['10.0.0.0/8', '2001:db8::/32'], '11.1.2.3', NO],
    ['cidr', ['10.0.0.0/8', '2001:db8::/32'], '2001:db8::7', YES],
    ['cidr', ['10.0.0.0/8'], '::ffff:10.1.2.3', YES],
    ['cidr', ['::ffff:10.0.0.0/104'], '10.1.2.3', YES],
    ['cidr', ['0.0.0.0/0'], '2001:db8::7', NO],
    ['cidr', ['192.0.2.7'], '192.0.2.7', YES],
    ['cidr', ['10.0.0.0/8'], '10.1', WRONG],
    ['cidr', ['10.0.0.0/8'], '012.0.0.1', WRONG],
    ['cidr', ['10.0.0.0/8'], '10.0.0.256', WRONG],
    ['cidr', ['10.0.0.0/33'], '10.0.0.1', WRONG],
    ['matches', '^user-[0-9]+$', 'user-17', YES],
    ['matches', 'ser-', 'user-17', YES],
    ['matches', '^user-[0-9]+$', 'admin', NO],
    ['matches', '(a+)+$', `${'a'.repeat(10_000)}b`, NO],
    ['matches', 'a(?=b)', 'ab', WRONG],
    ['matches', '(', '(', WRONG],
    ['matches', 'x', 7, WRONG],
    ['present', true, 0, YES],
    ['present', true, '', YES],
    ['present', true, null, NO],
    ['present', false, null, YES],
    ['present', false, false, NO],
  ])('%s %j says of %p: %j', (operator, operand, value, expected) => {
    expect(ask(comparison(operator, operand), { a: value })).toEqual(expected);
  });

  it.each<[Operator, Operand, unknown, boolean]>([
    ['equals', 'Straße', 'STRAßE', true],
    ['in', ['at', 'DE'], 'de', true],
    ['starts-with', ['AB'], 'abc', true],
    ['ends-with', ['.COM'], 'a.com', true],
    ['contains', ['Dog'], 'hotDOGs', true],
    ['contains', ['Beta'], ['BETA'], true],
    ['matches', '^USER', 'user-1', true],
    ['in', [1], 1, true],
    ['equals', 'x', 'y', false],
  ])('%s %j finds %j without regard to case: %p', (operator, operand, value, holds) => {
    expect(ask(comparison(operator, operand, { ignoreCase: true }), { a: value })).toEqual({
      holds,
      mistyped: 0,
    });
  });

  it('match nothing where the attribute is missing, which is no mistake', () => {
    for (const context of [{}, { a: undefined }, { a: null }]) {
      expect(ask(comparison('equals', 'x'), context)).toEqual(NO);
      expect(ask(comparison('at-least', 0), context)).toEqual(NO);
      expect(ask(comparison('present', true), context)).toEqual(NO);
      expect(ask(comparison('present', false), context)).toEqual(YES);
    }
  });

  it('hold for nothing where the operator is not known', () => {
    expect(ask(comparison('sounds-like' as Operator, 'x'), { a: 'x' })).toEqual(WRONG);
  });
});

describe('paths', () => {
  const at = (attribute: string) => comparison('equals', 'x', { attribute });

  it('lead into objects by their own properties', () => {
    expect(ask(at('user.plan'), { user: { plan: 'x' } })).toEqual(YES);
    expect(ask(at('käufer.プラン.🛒'), { käufer: { プラン: { '🛒': 'x' } } })).toEqual(YES);
    expect(ask(at('list.1'), { list: ['y', 'x'] })).toEqual(YES);
    for (const user of [undefined, null, 'plan', 7, () => 'x', Object.create({ plan: 'x' })])
      expect(ask(at('user.plan'), { user })).toEqual(NO);
  });

  it.each(['__proto__', 'constructor', 'constructor.name', 'toString', '__proto__.a'])(
    'never through a prototype: %s',
    (attribute) => {
      for (const context of [{}, Object.create({ [attribute]: 'x', a: 'x' }) as object])
        expect(
          ask(comparison('present', true, { attribute }), context as Record<string, unknown>),
        ).toEqual(NO);
    },
  );

  it('find an own property of any name', () => {
    const context = JSON.parse('{"__proto__": {"a": "x"}}') as Record<string, unknown>;
    expect(ask(at('__proto__.a'), context)).toEqual(YES);
  });
});

describe('conditions', () => {
  const yes: Condition = { attribute: 'a', operator: 'present', value: true };
  const no: Condition = { attribute: 'b', operator: 'present', value: true };
  it.each<[Condition, boolean]>([
    [{ all: [] }, true],
    [{ any: [] }, false],
    [{ all: [yes] }, true],
    [{ all: [yes, no] }, false],
    [{ all: [yes, yes, yes] }, true],
    [{ all: [yes, yes, no] }, false],
    [{ any: [no] }, false],
    [{ any: [no, yes] }, true],
    [{ any: [no, no, no] }, false],
    [{ any: [no, no, yes] }, true],
    [{ not: no }, true],
    [{ not: { any: [no, { not: yes }] } }, true],
    [{ segment: 'beta' }, true],
    [{ segment: 'other' }, false],
    // A comparison that cannot be made does not hold, so its contrary does.
    [{ not: { attribute: 'a', operator: 'less-than', value: 5 } }, true],
  ])('%j: %p', (condition, holds) => {
    expect(ask(condition, { a: 'x', 'in-beta': true }).holds).toBe(holds);
  });
});
