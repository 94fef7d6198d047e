import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { incompatibilities } from './compatibility.ts';

const base = {
  key: z.string(),
  mode: z.enum(['off', 'on']),
  rollout: z.object({ id: z.string() }).optional(),
  flag: z.object({ salt: z.string() }).nullable(),
};
const json = (shape: z.ZodRawShape): object => z.toJSONSchema(z.object(shape), { io: 'input' });
const against = (shape: z.ZodRawShape) => incompatibilities(json(base), json(shape));

describe('a later release of a message', () => {
  it('may add an optional field, and drop one', () => {
    expect(against({ ...base, reason: z.string().optional() })).toEqual([]);
    const { rollout: _gone, ...without } = base;
    expect(against(without)).toEqual([]);
    const more = z.object({ salt: z.string(), hold: z.string().optional() });
    expect(against({ ...base, flag: more.nullable() })).toEqual([]);
  });

  it('may number the parts of its schema differently, and no part may change inside', () => {
    const list = z.object({ next: z.json() });
    const later = (more: z.ZodRawShape) => json({ other: z.json().optional(), ...base, ...more });
    expect(incompatibilities(json({ ...base, list }), later({ list }))).toEqual([]);
    const tree: z.ZodType = z.lazy(() => z.object({ leaf: z.string(), below: z.array(tree) }));
    const grown: z.ZodType = z.lazy(() => z.object({ leaf: z.number(), below: z.array(grown) }));
    expect(incompatibilities(json({ tree }), json({ tree }))).toEqual([]);
    expect(incompatibilities(json({ tree }), json({ tree: grown })).join('\n')).toContain(
      'tree.leaf: type changed',
    );
  });

  it.each([
    ['adds a field that is needed', { ...base, reason: z.string() }, 'reason: is needed now'],
    [
      'drops a field that is needed',
      { mode: base.mode, rollout: base.rollout, flag: base.flag },
      'key: may be absent now',
    ],
    [
      'makes a needed field optional',
      { ...base, key: z.string().optional() },
      'key: may be absent now',
    ],
    ['changes a type', { ...base, key: z.number() }, 'key: type changed'],
    ['narrows a value', { ...base, key: z.string().max(10) }, 'key: maxLength changed'],
    [
      'adds a value to a list',
      { ...base, mode: z.enum(['off', 'on', 'auto']) },
      'mode: the allowed values changed',
    ],
    [
      'changes what is inside of what may be null',
      { ...base, flag: z.object({ salt: z.number() }).nullable() },
      'flag.salt: type changed',
    ],
    [
      'lets it be null no more',
      { ...base, flag: z.object({ salt: z.string() }) },
      'flag: anyOf changed',
    ],
    [
      'changes what is inside',
      { ...base, rollout: z.object({ id: z.number() }).optional() },
      'rollout.id: type changed',
    ],
  ])('needs a new version when it %s', (_what, shape, problem) => {
    expect(against(shape as z.ZodRawShape).join('\n')).toContain(problem);
  });
});
