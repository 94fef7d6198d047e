import { describe, expect, it } from '@jest/globals';
import {
  type FlagRecord,
  flagDefinition,
  segmentDefinition,
  type SegmentRecord,
  type ViewRecord,
} from '@tidegate/contracts';
import type { EvaluationContext } from './details.ts';
import { compile, type Evaluator } from './evaluator.ts';
import type { Mistyped } from './program.ts';

const flagOf = (key: string, definition: object = {}, disabled = false): FlagRecord => ({
  key,
  epoch: 1,
  version: 1,
  flag: {
    definition: flagDefinition.parse({
      type: 'string',
      variants: { on: 'on', off: 'off', dark: 'dark', a: 'a', b: 'b', c: 'c' },
      defaultVariant: 'off',
      offVariant: 'dark',
      exposure: { variant: 'on', percentage: 0 },
      ...definition,
    }),
    salt: `salt of ${key}`,
    ...(disabled ? { disabled: { reason: 'down', at: 0, by: 'alex' } } : {}),
  },
});
const segmentOf = (key: string, definition: object): SegmentRecord => ({
  key,
  epoch: 1,
  version: 1,
  segment: { definition: segmentDefinition.parse(definition) },
});
const full = { exposure: { variant: 'on', percentage: 100_000 } };
const needs = (flag: string, ...variants: string[]) => ({
  prerequisites: [{ flag, variants: variants.length > 0 ? variants : ['on'] }],
});
const ask = (records: readonly ViewRecord[], context = {}, key = 'x') =>
  compile(records).evaluate(key, undefined, context);
const inAustria = { attribute: 'country', operator: 'equals', value: 'AT' };
const inWhen = (segment: string) => ({ rules: [{ when: { segment }, variant: 'a' }] });

describe('prerequisites', () => {
  it('let a flag go on if each is enabled and serves one of the variants', () => {
    const records = [
      flagOf('x', {
        ...full,
        prerequisites: [
          { flag: 'p', variants: ['on'] },
          { flag: 'q', variants: ['a', 'off'] },
        ],
      }),
      flagOf('p', full),
      flagOf('q'),
    ];
    expect(ask(records)).toMatchObject({ variant: 'on', reason: 'STATIC' });
  });

  it.each<[string, FlagRecord]>([
    ['serves another variant', flagOf('p')],
    ['is disabled, whatever it would serve', flagOf('p', { ...full, offVariant: 'on' }, true)],
  ])('serve the off variant, and name the first that %s', (_, p) => {
    const x = flagOf('x', { ...full, allowedUsers: ['ann'], ...needs('p') });
    expect(ask([x, p], { targetingKey: 'ann' })).toMatchObject({
      variant: 'dark',
      reason: 'PREREQUISITE_FAILED',
      flagMetadata: { epoch: 1, version: 1, prerequisite: 'p' },
    });
  });

  it('come after disabled, and before the lists', () => {
    const records = [flagOf('x', { ...full, ...needs('p') }, true), flagOf('p')];
    expect(ask(records).reason).toBe('DISABLED');
  });

  it('may have prerequisites: the off variant of one counts like any other', () => {
    const records = [
      flagOf('x', { ...full, ...needs('p', 'dark') }),
      flagOf('p', needs('q')),
      flagOf('q'),
    ];
    expect(ask(records)).toMatchObject({ variant: 'on' });
  });

  it('are asked with the same context, and make the answer depend on it', () => {
    const p = flagOf('p', { rules: [{ when: inAustria, variant: 'on' }] });
    const records = [flagOf('x', { ...full, ...needs('p') }), p];
    expect(ask(records, { country: 'AT' })).toMatchObject({ variant: 'on', reason: 'SPLIT' });
    expect(ask(records, { country: 'DE' })).toMatchObject({ reason: 'PREREQUISITE_FAILED' });
  });

  it('pass on what they cannot answer, naming themselves', () => {
    const p = flagOf('p', { exposure: { variant: 'on', percentage: 50_000 } });
    const details = ask([flagOf('x', { ...full, ...needs('p') }), p]);
    expect(details).toMatchObject({
      value: undefined,
      reason: 'ERROR',
      errorCode: 'TARGETING_KEY_MISSING',
      flagMetadata: { prerequisite: 'p' },
    });
    expect(details.errorMessage).toMatch(/^The prerequisite p of the flag x .*The flag p /);
  });
});

describe('rules', () => {
  it('are tried in order, after the lists and before the exposure; the first that holds decides', () => {
    const records = [
      flagOf('x', {
        ...full,
        deniedUsers: ['dan'],
        allowedUsers: ['ann'],
        rules: [
          { when: inAustria, variant: 'a' },
          {
            name: 'the-rest',
            when: { attribute: 'country', operator: 'present', value: true },
            variant: 'b',
          },
        ],
      }),
    ];
    const served = (targetingKey: string, country?: string) => {
      const { variant, reason, flagMetadata } = ask(records, { targetingKey, country });
      return [variant, reason, flagMetadata.rule];
    };
    expect(served('dan', 'AT')).toEqual(['off', 'TARGETING_MATCH', undefined]);
    expect(served('ann', 'AT')).toEqual(['on', 'TARGETING_MATCH', undefined]);
    expect(served('eve', 'AT')).toEqual(['a', 'TARGETING_MATCH', 1]);
    expect(served('eve', 'DE')).toEqual(['b', 'TARGETING_MATCH', 'the-rest']);
    expect(served('eve')).toEqual(['on', 'SPLIT', undefined]);
  });

  it('always hold without a condition', () => {
    expect(ask([flagOf('x', { rules: [{ variant: 'c' }] })])).toMatchObject({
      variant: 'c',
      reason: 'TARGETING_MATCH',
    });
  });

  it('divide by weights, and name the split', () => {
    const weights = [
      { variant: 'a', weight: 1 },
      { variant: 'b', weight: 0 },
      { variant: 'c', weight: 3 },
    ];
    const records = [flagOf('x', { rules: [{ name: 'thirds', split: { weights } }] })];
    const counts: Record<string, number> = {};
    const evaluator = compile(records);
    for (let i = 0; i < 4_000; i += 1) {
      const details = evaluator.evaluate('x', '', { targetingKey: `user-${i}` });
      expect(details).toMatchObject({ reason: 'SPLIT', flagMetadata: { rule: 'thirds' } });
      counts[details.value] = (counts[details.value] ?? 0) + 1;
    }
    expect(Object.keys(counts).sort()).toEqual(['a', 'c']);
    // Binomial(4 000, 1/4): five standard deviations.
    expect(Math.abs((counts['a'] ?? 0) - 1_000)).toBeLessThan(5 * Math.sqrt((4_000 * 3) / 16));
  });
});

describe('units', () => {
  const weights = [
    { variant: 'a', weight: 1 },
    { variant: 'b', weight: 1 },
  ];
  const byTenant = flagOf('x', { rules: [{ split: { weights, by: 'tenant.id' } }] });
  const served = (record: FlagRecord, context: object) => ask([record], context);

  it('are told apart by an attribute, a text or a whole number', () => {
    for (const id of ['7', 7])
      expect(served(byTenant, { targetingKey: 'any', tenant: { id } }).variant).toBe(
        served(byTenant, { tenant: { id: '7' } }).variant,
      );
    const variants = Array.from(
      { length: 50 },
      (_, id) => served(byTenant, { tenant: { id } }).variant,
    );
    expect(new Set(variants)).toEqual(new Set(['a', 'b']));
  });

  it.each([undefined, null, '', 1.5, Number.NaN, true, {}, ['7'], 2 ** 53])('are no %p', (id) => {
    const details = served(byTenant, { targetingKey: 'eve', tenant: { id } });
    expect(details).toMatchObject({ reason: 'ERROR', errorCode: 'TARGETING_KEY_MISSING' });
    expect(details.errorMessage).toContain('tenant.id');
  });

  it('of an exposure may be told apart by an attribute as well', () => {
    const record = flagOf('x', { exposure: { variant: 'on', percentage: 50_000, by: 'tenant' } });
    expect(served(record, { targetingKey: 'eve' })).toMatchObject({
      errorCode: 'TARGETING_KEY_MISSING',
    });
    const variants = Array.from({ length: 50 }, (_, tenant) => served(record, { tenant }).variant);
    expect(new Set(variants)).toEqual(new Set(['on', 'off']));
  });

  it('that an exposure covers are divided by its split', () => {
    const exposure = { variant: 'on', percentage: 50_000, split: weights };
    const evaluator = compile([flagOf('x', { exposure })]);
    const variants = Array.from(
      { length: 200 },
      (_, i) => evaluator.evaluate('x', '', { targetingKey: `user-${i}` }).value,
    );
    expect(new Set(variants)).toEqual(new Set(['off', 'a', 'b']));
  });

  it('of imported flags are the joined parts, without the salt', () => {
    const split = { weights, input: ['checkout', { attribute: 'email' }] };
    const [one, other] = ['one', 'other'].map((salt) => {
      const record = flagOf('x', { rules: [{ split }] });
      return { ...record, flag: { ...record.flag!, salt } };
    });
    for (let i = 0; i < 50; i += 1)
      expect(served(one!, { email: `${i}@example.com` }).variant).toBe(
        served(other!, { email: `${i}@example.com` }).variant,
      );
  });

  it('of imported flags may lack an attribute: it counts as the text null, as where they come from', () => {
    const flag = (part: string | { attribute: string }) =>
      flagOf('x', { rules: [{ split: { weights, input: ['x', part] } }] });
    expect(served(flag({ attribute: 'email' }), {})).toEqual(served(flag('null'), {}));
  });
});

describe('segments', () => {
  const segment = segmentOf('s', {
    members: ['ann', 'both'],
    excluded: ['dan', 'both'],
    when: inAustria,
  });

  it.each([
    [{ targetingKey: 'ann' }, true],
    [{ targetingKey: 'both' }, false],
    [{ targetingKey: 'dan', country: 'AT' }, false],
    [{ targetingKey: 'eve', country: 'AT' }, true],
    [{ country: 'AT' }, true],
    [{ targetingKey: 'eve' }, false],
  ])('exclude, then include, then ask: %j', (context, isIn) => {
    expect(ask([flagOf('x', inWhen('s')), segment], context).variant).toBe(isIn ? 'a' : 'off');
  });

  it('without a condition hold their members alone', () => {
    const records = [flagOf('x', inWhen('s')), segmentOf('s', { members: ['ann'] })];
    expect(ask(records, { targetingKey: 'ann' }).variant).toBe('a');
    expect(ask(records, { targetingKey: 'eve' }).variant).toBe('off');
  });

  it('may refer to segments', () => {
    const records = [
      flagOf('x', inWhen('outer')),
      segmentOf('outer', { when: { not: { segment: 's' } } }),
      segment,
    ];
    expect(ask(records, { country: 'AT' }).variant).toBe('off');
    expect(ask(records, { country: 'DE' }).variant).toBe('a');
  });
});

describe('what cannot be evaluated', () => {
  it.each<[string, ViewRecord[], string]>([
    [
      'an unknown prerequisite',
      [flagOf('x', needs('p'))],
      'The flag x refers to p, which does not exist.',
    ],
    [
      'a deleted prerequisite',
      [flagOf('x', needs('p')), { ...flagOf('p'), flag: null }],
      'The flag x refers to p, which does not exist.',
    ],
    [
      'an unknown segment',
      [flagOf('x', inWhen('s'))],
      'The flag x refers to segments/s, which does not exist.',
    ],
    [
      'a flag that is its own prerequisite',
      [flagOf('x', needs('x'))],
      'The flag x refers back to itself: x → x.',
    ],
    [
      'a cycle of prerequisites',
      [flagOf('x', needs('p')), flagOf('p', needs('q')), flagOf('q', needs('x'))],
      'The flag x refers back to itself: x → p → q → x.',
    ],
    [
      'a cycle below',
      [flagOf('x', needs('p')), flagOf('p', needs('q')), flagOf('q', needs('p'))],
      'The flag x refers to p, which cannot be evaluated: The flag p refers back to itself: p → q → p.',
    ],
    [
      'a cycle of segments',
      [
        flagOf('x', inWhen('s')),
        segmentOf('s', { when: { segment: 't' } }),
        segmentOf('t', { when: { any: [{ segment: 's' }] } }),
      ],
      'The flag x refers to segments/s, which cannot be evaluated: The segment s refers back to itself: s → t → s.',
    ],
    [
      'a prerequisite that names a variant it lacks',
      [flagOf('x', needs('p')), withoutVariant('p', 'on')],
      'The flag x refers to p, which cannot be evaluated: The flag p has no variant "on".',
    ],
    [
      'a variant that is not there',
      [withoutVariant('x', 'off')],
      'The flag x has no variant "off".',
    ],
  ])('%s', (_, records, message) => {
    for (const order of [records, [...records].reverse()]) {
      const evaluator = compile(order);
      for (const key of ['q', 'p', 'x']) evaluator.evaluate(key, '');
      expect(evaluator.evaluate('x', 'mine')).toMatchObject({
        value: 'mine',
        reason: 'ERROR',
        errorCode: 'PARSE_ERROR',
        errorMessage: message,
      });
      expect(evaluator.evaluate<unknown>('x', 7)).toMatchObject({ errorCode: 'PARSE_ERROR' });
    }
  });

  it('is no matter while the flag is disabled', () => {
    expect(ask([flagOf('x', needs('x'), true)])).toMatchObject({
      variant: 'dark',
      reason: 'DISABLED',
    });
    expect(ask([flagOf('x', inWhen('s'), true)])).toMatchObject({ variant: 'dark' });
    const records = [flagOf('x', needs('p')), flagOf('p', needs('x'), true)];
    expect(ask(records)).toMatchObject({ variant: 'dark', reason: 'PREREQUISITE_FAILED' });
  });

  it('is a flag whose prerequisites would ask without end', () => {
    const layers = Array.from({ length: 40 }, (_, layer) =>
      ['l', 'r'].map((side) =>
        flagOf(`${side}${layer}`, {
          ...full,
          prerequisites:
            layer === 0
              ? []
              : ['l', 'r'].map((of) => ({ flag: `${of}${layer - 1}`, variants: ['on'] })),
        }),
      ),
    ).flat();
    expect(ask(layers, {}, 'l39')).toMatchObject({ errorCode: 'PARSE_ERROR' });
    expect(ask(layers, {}, 'l5')).toMatchObject({ variant: 'on' });
  });

  it('is a chain of more than a thousand, and no shorter one', () => {
    const chain = Array.from({ length: 5_000 }, (_, i) =>
      i === 0 ? flagOf('p0', full) : flagOf(`p${i}`, { ...full, ...needs(`p${i - 1}`) }),
    );
    expect(ask(chain, {}, 'p900')).toMatchObject({ variant: 'on' });
    expect(ask(chain, {}, 'p4999')).toMatchObject({ errorCode: 'PARSE_ERROR' });
  });
});

function withoutVariant(key: string, variant: string): FlagRecord {
  const record = flagOf(key, full);
  const { definition } = record.flag!;
  const variants = Object.fromEntries(
    Object.entries(definition.variants).filter(([name]) => name !== variant),
  );
  return { ...record, flag: { ...record.flag!, definition: { ...definition, variants } } };
}

describe('a change', () => {
  const p = flagOf('p', full);
  const records = [flagOf('x', { ...full, ...needs('p') }), p, flagOf('y', inWhen('s'))];
  const variants = (evaluator: Evaluator, context = {}) =>
    ['x', 'p', 'y'].map((key) => evaluator.evaluate(key, undefined, context).variant);

  it('reaches the flags that refer to what is changed, through others too', () => {
    const evaluator = compile(records);
    expect(variants(evaluator)).toEqual(['on', 'on', undefined]);
    evaluator.update([
      segmentOf('s', { when: { segment: 't' } }),
      segmentOf('t', { when: inAustria }),
    ]);
    expect(variants(evaluator, { country: 'AT' })).toEqual(['on', 'on', 'a']);
    evaluator.update([segmentOf('t', { when: { not: inAustria } }), flagOf('p', full, true)]);
    expect(variants(evaluator, { country: 'AT' })).toEqual(['dark', 'dark', 'off']);
    evaluator.update([{ ...p, flag: null }]);
    expect(variants(evaluator)).toEqual([undefined, undefined, 'a']);
    evaluator.update([p]);
    expect(variants(evaluator)).toEqual(['on', 'on', 'a']);
  });

  it('says which flags it concerns', () => {
    const evaluator = compile([
      ...records,
      segmentOf('s', { when: { segment: 't' } }),
      flagOf('z', needs('x')),
    ]);
    const dependents = (record: ViewRecord) => [...evaluator.dependents(record)].sort();
    expect(dependents(p)).toEqual(['x', 'z']);
    expect(dependents(segmentOf('t', {}))).toEqual(['y']);
    expect(dependents(flagOf('s'))).toEqual([]);
    evaluator.update([flagOf('x')]);
    expect(dependents(p)).toEqual([]);
  });
});

it('tells of every comparison that cannot be made, and where it stands', () => {
  const told: Mistyped[] = [];
  const evaluator = compile(
    [
      flagOf('x', { rules: [{ when: { any: [inAustria, { segment: 's' }] }, variant: 'a' }] }),
      segmentOf('s', { when: { attribute: 'age', operator: 'at-least', value: 18 } }),
    ],
    { onMistyped: (mistyped) => told.push(mistyped) },
  );
  evaluator.evaluate('x', '', { country: 'DE', age: 17 });
  expect(told).toEqual([]);
  evaluator.evaluate('x', '', { country: 43, age: '18' });
  expect(told).toEqual([
    { of: 'flag', key: 'x', attribute: 'country', operator: 'equals' },
    { of: 'segment', key: 's', attribute: 'age', operator: 'at-least' },
  ]);
});

it('takes records of senders that know no rules and no prerequisites', () => {
  const { rules: _, prerequisites: __, ...definition } = flagOf('x', full).flag!.definition;
  const record = { ...flagOf('x'), flag: { salt: 's', definition } } as unknown as FlagRecord;
  expect(ask([record])).toMatchObject({ variant: 'on', reason: 'STATIC' });
});

describe('a hostile context', () => {
  const records = [
    flagOf('x', {
      exposure: { variant: 'on', percentage: 50_000, by: 'a.b' },
      rules: [{ when: { attribute: 'a.b', operator: 'contains', values: ['x'] }, variant: 'a' }],
    }),
  ];
  const throwing = () => {
    throw Object.create(null, {
      message: {
        get: () => {
          throw new Error('again');
        },
      },
    });
  };
  const cyclic: Record<string, unknown> = { targetingKey: 'eve' };
  cyclic['a'] = cyclic;
  const trap = new Proxy({}, { getOwnPropertyDescriptor: throwing, get: throwing, has: throwing });

  it.each<[string, unknown]>([
    ['a getter that throws', Object.defineProperty({}, 'targetingKey', { get: throwing })],
    ['a nested getter that throws', { a: Object.defineProperty({}, 'b', { get: throwing }) }],
    ['a proxy that throws', trap],
    ['a nested proxy', { a: trap }],
    ['a cycle', cyclic],
    ['null', null],
    ['a text', 'eve'],
    ['an array', ['eve']],
    ['symbols and functions', { targetingKey: Symbol('eve'), a: () => 'x' }],
    ['a list of odd things', { a: { b: [null, undefined, Symbol('x'), {}] } }],
  ])('%s is answered with the default', (_, context) => {
    const details = compile(records).evaluate('x', 'mine', context as never);
    expect(details).toMatchObject({ value: 'mine', reason: 'ERROR' });
  });

  it('gives nothing through its prototype', () => {
    const context = Object.create({ targetingKey: 'eve', a: { b: 'x' } }) as EvaluationContext;
    expect(compile(records).evaluate('x', 'mine', context)).toMatchObject({
      errorCode: 'TARGETING_KEY_MISSING',
    });
  });
});
