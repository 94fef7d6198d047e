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
const linesOf = (shown: Partial<RolloutShown>): readonly string[] =>
  timeline({ ...rollout, ...shown }, [], 2_000)
    .split('\n')
    // oxlint-disable-next-line no-control-regex -- colours
    .map((line) => line.replaceAll(/\u001B\[\d+m/g, '').trim());
const lineAbout = (references: NonNullable<RolloutShown['references']>): string | undefined =>
  linesOf({ references }).find((line) => line.startsWith('relies on'));

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

it('shows a bake as it is watched', () => {
  const step = { name: 'overnight', kind: 'bake', state: 'current', holdMs: 60_000 } as const;
  const [, line] = linesOf({ phase: 'open', steps: [{ ...step, coveredMs: 30_000 }] });
  expect(line).toMatch(/overnight +bake .* 30s of 1m$/);
});

it('says what whoever approves should have read', () => {
  const steps = [{ name: 'review', kind: 'approve', state: 'current' } as const];
  expect(linesOf({ steps })[1]).toMatch(/waits for an approver$/);
  expect(linesOf({ steps, dryRun: { step: 'totals/plan', run: 'r-1.0.0' } })[1]).toMatch(
    /waits for an approver; to read first: tidegate migration report r-1\.0\.0$/,
  );
});

it('names the risk once it has come to a level, and what a guard in shadow would have done', () => {
  expect(linesOf({ riskScore: 12.34, riskLevelsReached: ['notify'] })).toContain(
    'risk 12, rolls back at 100',
  );
  expect(linesOf({ riskScore: 0.2, riskLevelsReached: [] }).join()).not.toContain('risk');
  expect(linesOf({ wouldHaveBreached: ['trial@canary'] })).toContain(
    'in shadow, would have rolled back: trial@canary',
  );
});

it('says whether a rollback has helped', () => {
  const status = 'rolled-back';
  expect(linesOf({ status, recovery: { status: 'awaited' } }).at(-1)).toMatch(/^watched on/);
  const judged = { status: 'persisting', message: 'errors: not good again.' };
  expect(linesOf({ status, recovery: judged }).at(-1)).toBe('persisting: errors: not good again.');
});
