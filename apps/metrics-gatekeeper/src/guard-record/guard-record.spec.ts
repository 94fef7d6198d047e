import { describe, expect, it } from '@jest/globals';
import type { Plan } from '@tidegate/contracts';
import fc from 'fast-check';
import { CANARY, planOf } from '../rollout/story.memory.ts';
import {
  type Deed,
  deeds,
  type Done,
  emptyRecord,
  type GuardRecord,
  ROLLOUTS_KEPT,
  summariesOf,
  withDone,
  withPlan,
} from './guard-record.ts';

const plan: Plan = planOf([CANARY]);

const done = (rollout: number, deed: Deed, guards = ['error-rate'], at = rollout * 10): Done => ({
  rollout: `r-${rollout}`,
  startedAt: rollout,
  deed,
  guards,
  at,
});
const after = (all: readonly Done[], record: GuardRecord = emptyRecord): GuardRecord =>
  all.reduce((before, each) => withDone(before, 'open-checkout', each), record);
const of = (record: GuardRecord, guard = 'error-rate') =>
  summariesOf(record).find((each) => each.guard === guard);

describe('what the guards of a plan have done', () => {
  it('is nothing yet for those of a new plan: they were never seen to fire', () => {
    expect(summariesOf(withPlan(emptyRecord, plan, 1))).toEqual(
      ['error-rate', 'invariant'].map((guard) =>
        expect.objectContaining({ plan: 'open-checkout', guard, rollouts: 0, hasFired: false }),
      ),
    );
  });

  it('counts rollouts, not events', () => {
    const twice = done(1, 'heldForData', ['error-rate', 'invariant']);
    const record = after([done(1, 'judged'), twice, { ...twice, at: 99 }, done(2, 'judged')]);
    expect(of(record)).toMatchObject({ rollouts: 2, heldForData: 1, breached: 0, hasFired: false });
    expect(of(record, 'invariant')).toMatchObject({ rollouts: 0, heldForData: 1 });
  });

  it('has fired once it has breached, or would have', () => {
    const both = after([done(1, 'wouldHaveBreached'), done(3, 'breached'), done(2, 'breached')]);
    expect(of(both)).toMatchObject({
      hasFired: true,
      breached: 2,
      wouldHaveBreached: 1,
      lastFiredAt: 30,
      lastFiredIn: 'r-3',
    });
    expect(of(after([done(1, 'wouldHaveBreached')]))).toMatchObject({
      hasFired: true,
      breached: 0,
    });
  });

  it('names guards of the newest version first, and those that are gone without a judge', () => {
    const { guards } = plan;
    const newer: Plan = { ...plan, guards: guards.filter(({ name }) => name === 'invariant') };
    const record = withPlan(withPlan(after([done(1, 'judged')]), newer, 2), plan, 1);
    expect(summariesOf(record).map(({ guard, judge }) => [guard, judge])).toEqual([
      ['invariant', 'immediate'],
      ['error-rate', undefined],
    ]);
  });

  it('stays of bounded size, and sums up what it does not keep', () => {
    const rollouts = Array.from({ length: 3 * ROLLOUTS_KEPT }, (_, i) => i + 1);
    const record = after(
      rollouts.flatMap((i) => [done(i, 'judged'), ...(i % 2 ? [done(i, 'breached')] : [])]),
    );
    expect(record.rollouts).toHaveLength(ROLLOUTS_KEPT);
    expect(of(record)).toMatchObject({
      rollouts: 3 * ROLLOUTS_KEPT,
      breached: 1.5 * ROLLOUTS_KEPT,
      lastFiredIn: `r-${3 * ROLLOUTS_KEPT - 1}`,
    });
    expect(after([done(1, 'judged'), done(2, 'breached')], record)).toBe(record);
  });

  it('does not grow with guards that no version has any more', () => {
    const rollouts = Array.from({ length: 1_000 }, (_, i) => done(i + 1, 'judged', [`g-${i}`]));
    const record = after(rollouts);
    expect(summariesOf(record).length).toBeLessThanOrEqual(200 + ROLLOUTS_KEPT);
    expect(of(record, 'g-999')).toMatchObject({ rollouts: 1 });
  });

  it('is the same in whatever order it is told, and however often', () => {
    const one = fc
      .tuple(fc.integer({ min: 1, max: 20 }), fc.constantFrom(...deeds), fc.constantFrom('a', 'b'))
      .map(([rollout, deed, guard]) => done(rollout, deed, [guard]));
    fc.assert(
      fc.property(fc.array(one, { maxLength: 40 }), fc.array(fc.nat()), (all, order) => {
        const shuffled = order.map((i) => all[i % all.length]).filter((each) => each !== undefined);
        const again = after([...shuffled, ...all.toReversed(), ...all]);
        const byName = (record: GuardRecord) =>
          [...summariesOf(record)].sort((a, b) => a.guard.localeCompare(b.guard));
        expect(byName(again)).toEqual(byName(after(all)));
      }),
    );
  });
});
