import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Recent } from './recent.ts';

it('has what was set last, as much of it as its weight allows, and never more', () => {
  const step = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), weight: fc.nat({ max: 8 }) });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const recent = new Recent<number>(10);
      let expected: { key: string; weight: number; n: number }[] = [];
      for (const [n, { key, weight }] of steps.entries()) {
        recent.set(key, n, weight);
        expected = [...expected.filter((each) => each.key !== key), { key, weight, n }];
        while (expected.reduce((sum, each) => sum + each.weight, 0) > 10) expected.shift();
        for (const name of ['a', 'b', 'c', 'd'])
          expect(recent.get(name)).toBe(expected.find((each) => each.key === name)?.n);
      }
    }),
  );
});

it('forgets what it is told to', () => {
  const recent = new Recent<string>(2);
  recent.set('a', 'A', 2);
  recent.delete('a');
  recent.delete('a');
  expect(recent.get('a')).toBeUndefined();
  recent.set('b', 'B', 1);
  recent.set('c', 'C', 1);
  expect([recent.get('b'), recent.get('c')]).toEqual(['B', 'C']);
});
