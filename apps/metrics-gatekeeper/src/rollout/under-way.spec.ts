import { expect, it } from '@jest/globals';
import { underWay } from './under-way.ts';

it('says which rollouts are under way and how to end them by hand, in few words', () => {
  const rollout = (n: number) => [`r-${n}`, { environment: 'production', flag: 'banner' }] as const;
  expect(underWay([])).toBeUndefined();
  expect(underWay([rollout(1)])).toBe(
    '1 rollout is under way here: r-1 (banner in production). While this lasts no rollback of them reaches anybody. ' +
      'By hand: tidegate flag disable banner --env production --reason <why>.',
  );
  const many = underWay(Array.from({ length: 9 }, (_, n) => rollout(n)));
  expect(many).toMatch(
    /^9 rollouts are under way here: .*r-4 \(banner in production\) and 4 more\./,
  );
});
