import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createTurns } from './turns.ts';

it('gives every run that is due its turn, however few are worked on at once', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 1, max: 5 }),
      (count, atOnce) => {
        const due = Array.from({ length: count }, (_, index) => `m-${index}`);
        const turns = createTurns();
        const seen = new Set<string>();
        for (let look = 0; look < Math.ceil(count / atOnce); look += 1)
          for (const run of turns.inOrder(due).slice(0, atOnce)) {
            turns.took(run);
            seen.add(run);
          }
        expect(seen.size).toBe(count);
      },
    ),
  );
});

it('keeps the order of those that have had none, and puts a new one before those that had', () => {
  const turns = createTurns();
  expect(turns.inOrder(['a', 'b', 'c'])).toEqual(['a', 'b', 'c']);
  turns.took('a');
  turns.took('b');
  expect(turns.inOrder(['a', 'b', 'new'])).toEqual(['new', 'a', 'b']);
});
