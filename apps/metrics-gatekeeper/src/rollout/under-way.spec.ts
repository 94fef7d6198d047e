import { expect, it } from '@jest/globals';
import { underWay } from './under-way.ts';

const rollout = (n: number) => [`r-${n}`, { environment: 'production', flag: `f-${n}` }] as const;

it('says which rollouts are under way and how to end them by hand, in few words', () => {
  expect(underWay([], 'bus')).toBeUndefined();
  expect(underWay([rollout(1), rollout(2)], 'bus')).toBe(
    '2 rollouts are under way here: r-1 (f-1 in production), r-2 (f-2 in production). ' +
      'While this lasts no rollback of them reaches anybody. By hand:\n' +
      "tidegate flag disable f-1 --env production --reason 'by hand, after a page'\n" +
      "tidegate flag disable f-2 --env production --reason 'by hand, after a page'\n",
  );
  const many = underWay(
    Array.from({ length: 9 }, (_, n) => rollout(n)),
    'bus',
  );
  expect(many).toMatch(
    /^9 rollouts are under way here: .*r-4 \(f-4 in production\) and 4 more \(tidegate rollout list --live\)\.[^]*\n\(and 4 more like these\)\n$/,
  );
});

it('promises no command that needs the store while the store is away', () => {
  expect(underWay([rollout(1)], 'store')).toContain(
    'While this lasts nobody judges them; if flag-service still reaches its store, a person can end them. By hand:',
  );
});
