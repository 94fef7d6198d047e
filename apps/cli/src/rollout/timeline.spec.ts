import { expect, it } from '@jest/globals';
import { type RolloutShown, timeline } from './timeline.ts';

const rollout: RolloutShown = {
  id: 'r-1',
  plan: 'open-checkout',
  planVersion: 1,
  environment: 'production',
  flag: 'checkout-v2',
  status: 'running',
  phase: 'waiting',
  step: 'canary',
  exposure: '0 %',
  startedAt: 1_000,
  startedBy: 'alex',
  steps: [{ name: 'canary', kind: 'stage', state: 'current', percentage: 10_000 }],
  guards: [],
  riskScore: 1,
  riskLimit: 100,
};
const lineAbout = (references: NonNullable<RolloutShown['references']>): string | undefined =>
  timeline({ ...rollout, references }, [], 2_000)
    .split('\n')
    // oxlint-disable-next-line no-control-regex -- colours
    .map((line) => line.replaceAll(/\u001B\[\d+m/g, '').trim())
    .find((line) => line.startsWith('relies on'));

it('says what the flag refers to, and what of it is not held or disabled', () => {
  expect(
    lineAbout([
      { kind: 'flag', key: 'payments', claim: 'held', disabled: true },
      { kind: 'segment', key: 'beta', claim: 'lost', disabled: false },
      { kind: 'flag', key: 'basket', claim: 'held', disabled: false },
    ]),
  ).toBe('relies on payments (disabled), segment beta (lost), basket');
});

it('says nothing of it where the flag refers to nothing', () => {
  expect(lineAbout([])).toBe(undefined);
});
