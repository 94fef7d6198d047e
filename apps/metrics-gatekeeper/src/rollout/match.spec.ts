import { expect, it } from '@jest/globals';
import { ThresholdBreached } from '@tidegate/contracts';
import { exampleOf } from '@tidegate/contracts/testing';
import { isAbout } from './match.ts';
import { Story } from './story.memory.ts';

const { state } = new Story().start();
const matches = (labels: Record<string, string>, environment = 'production') => {
  if (state.status === 'absent') throw new Error('no rollout');
  return isAbout(exampleOf(ThresholdBreached, { labels, environment }).data, state);
};

it.each([
  [{ flag: 'checkout-v2' }, true],
  [{ plan: 'open-checkout', team: 'shop' }, true],
  [{ rollout: 'r-1' }, true],
  [{ flag: 'checkout-v2', plan: 'open-checkout' }, true],
  [{ flag: 'checkout-v2', plan: 'other' }, false],
  [{ flag: 'other' }, false],
  [{ team: 'shop' }, false],
  [{}, false],
])('a breach with the labels %j is about it: %s', (labels, expected) => {
  expect(matches(labels)).toBe(expected);
});

it('is never about a rollout in another environment', () => {
  expect(matches({ flag: 'checkout-v2' }, 'test')).toBe(false);
});
