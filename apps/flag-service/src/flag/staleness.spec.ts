import { type Flag, flagDefinition } from '@tidegate/contracts';
import { describe, expect, it } from '@jest/globals';
import { staleness } from './staleness.ts';
import { type LivingFlag, storedAs } from './stored-flag.ts';

const DAY = 86_400_000;
const now = 1_000 * DAY;
const longMs = 30 * DAY;
const flag = (
  definition: object = {},
  more: Partial<Flag> = {},
  servedDaysAgo = 0,
): LivingFlag => ({
  ...storedAs(
    {
      definition: flagDefinition.parse({
        type: 'boolean',
        variants: { on: true, off: false },
        defaultVariant: 'off',
        offVariant: 'off',
        exposure: { variant: 'on', percentage: 50_000 },
        ...definition,
      }),
      salt: 's',
      ...more,
    },
    1,
  ),
  servedSince: now - servedDaysAgo * DAY,
});
/** Nothing is known of the time before. */
const justBegun = { countedSince: now, flags: new Map<string, number>() };
const reasons = (
  each: LivingFlag,
  asked: Parameters<typeof staleness>[2] = justBegun,
  isUsed = false,
) => staleness('checkout', each, asked, { now, longMs, isUsed }).map(({ reason }) => reason);
const open = { exposure: { variant: 'on', percentage: 100_000 } };
const closed = { exposure: { variant: 'on', percentage: 0 } };

describe('a flag is stale', () => {
  it('when it has expired, since that moment', () => {
    expect(
      staleness('x', flag({ expiresAt: now - DAY }), justBegun, { now, longMs, isUsed: false }),
    ).toEqual([{ reason: 'expired', since: now - DAY }]);
    expect(reasons(flag({ expiresAt: now + 1 }))).toEqual([]);
  });

  it.each([
    ['open to all', open],
    ['closed to all', closed],
  ])('when it has been %s for long', (_what, exposure) => {
    expect(reasons(flag(exposure, {}, 30))).toEqual(['one-sided']);
    expect(reasons(flag(exposure, {}, 29))).toEqual([]);
  });

  it.each([
    ['a rule', { ...open, rules: [{ when: { segment: 'beta' }, variant: 'off' }] }],
    ['a split', { exposure: { ...open.exposure, split: [{ variant: 'on', weight: 1 }] } }],
    ['somebody denied', { ...open, deniedUsers: ['ada'] }],
    ['somebody allowed', { ...closed, allowedUsers: ['ada'] }],
    ['a prerequisite', { ...open, prerequisites: [{ flag: 'a', variants: ['on'] }] }],
    ['half of its users', {}],
  ])('not while %s tells users apart', (_what, definition) => {
    expect(reasons(flag(definition, {}, 99))).toEqual([]);
  });

  it('when it has been off for long', () => {
    const disabled = (daysAgo: number) => ({
      disabled: { reason: 'down', at: now - daysAgo * DAY, by: 'alex' },
    });
    expect(reasons(flag(open, disabled(31), 99))).toEqual(['disabled-long']);
    expect(reasons(flag(open, disabled(3), 99))).toEqual([]);
  });

  it('when nobody has asked for it for long, as far back as that is counted', () => {
    const asked = (daysAgo: number) => ({
      countedSince: now - 99 * DAY,
      flags: new Map([['checkout', now - daysAgo * DAY]]),
    });
    const old = flag({}, {}, 90);
    const never = (countedDays: number) => ({
      countedSince: now - countedDays * DAY,
      flags: new Map<string, number>(),
    });
    expect(reasons(old, asked(40))).toEqual(['not-asked']);
    expect(reasons(old, asked(4))).toEqual([]);
    expect(reasons(old, never(40))).toEqual(['not-asked']);
    expect(reasons(old, never(4))).toEqual([]);
    expect(reasons(old, never(40), true)).toEqual([]); // asked for with the flag that it is a prerequisite of
    expect(reasons(old, { ...asked(40), lastFetched: now - DAY })).toEqual([]);
    expect(reasons(flag({}, {}, 3), never(99))).toEqual([]); // just made
  });

  it('never while a rollout holds it or relies on it, or it is meant to stay', () => {
    const rollout = { id: 'r-1', generation: 1 };
    expect(reasons(flag(open, { hold: { rollout, since: 1 } }, 99))).toEqual([]);
    expect(reasons(flag(open, { reliedOn: [rollout] }, 99))).toEqual([]);
    expect(reasons(flag({ ...open, tags: ['permanent'] }, {}, 99))).toEqual([]);
    expect(reasons(flag({ tags: ['permanent'], expiresAt: now - 1 }))).toEqual(['expired']);
  });
});
