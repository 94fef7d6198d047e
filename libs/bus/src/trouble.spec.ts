import { expect, it } from '@jest/globals';
import { manualClock } from '@tidegate/kernel/testing';
import { Trouble } from './trouble.ts';

it('is told behind a sentence while it is fresh', () => {
  const clock = manualClock(1_000);
  const trouble = new Trouble(clock);
  expect(trouble.within(500)).toBe('');
  trouble.heard('self-signed certificate');
  clock.advance(500);
  expect(trouble.within(500)).toBe(': self-signed certificate');
  clock.advance(1);
  expect(trouble.within(500)).toBe('');
});
