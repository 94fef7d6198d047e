import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { listen, type Listening, mayJudge } from './listening.ts';
import { SignsOfLife } from './signs-of-life.ts';
import { closedBecause, isSilent, silentFor } from './silence.ts';

const hold = {
  rollout: { id: 'r-1', generation: 1 },
  since: 1_000,
  step: 'canary',
  watch: { closeIfSilentMs: 600_000, since: 5_000 },
};

describe('silence', () => {
  it('begins with the last word about the rollout', () => {
    expect(silentFor(hold, 65_000, 100_000)).toBe(35_000);
  });

  it('begins with the wish of the stage where nothing was heard, or only before', () => {
    expect(silentFor(hold, undefined, 100_000)).toBe(95_000);
    expect(silentFor(hold, 2_000, 100_000)).toBe(95_000);
  });

  it('is none by a clock that was set back', () => {
    expect(silentFor(hold, 65_000, 60_000)).toBe(0);
    expect(silentFor(hold, undefined, 0)).toBe(0);
  });

  it('closes what was silent for longer than its stage allows, and nothing before', () => {
    expect(isSilent(hold, 65_000, 665_000)).toBe(false);
    expect(isSilent(hold, 65_000, 665_001)).toBe(true);
  });

  it('says who has not looked after what, and for how long', () => {
    expect(closedBecause(hold, 600_400)).toBe(
      'metrics-gatekeeper has not looked after rollout r-1 for 10m; stage canary closes itself',
    );
    const { step: _, ...again } = hold;
    expect(closedBecause(again, 600_400)).toContain('its open stage closes itself');
  });
});

describe('signs of life', () => {
  it('are the newest word about each rollout, whoever says it and in whatever order', () => {
    const word = fc.record({ rollout: fc.constantFrom('r-1', 'r-2'), at: fc.nat(1_000) });
    fc.assert(
      fc.property(fc.array(word), (words) => {
        const signs = new SignsOfLife();
        for (const { rollout, at } of words) signs.hear({ [rollout]: at }, 2_000);
        for (const rollout of ['r-1', 'r-2']) {
          const own = words.filter((each) => each.rollout === rollout).map(({ at }) => at);
          expect(signs.heardAt(rollout)).toBe(own.length > 0 ? Math.max(...own) : undefined);
        }
      }),
    );
  });

  it('do not count for longer because a clock was ahead', () => {
    const signs = new SignsOfLife();
    signs.hear({ 'r-1': 3_600_000 }, 1_000);
    expect(signs.heardAt('r-1')).toBe(1_000);
  });

  it('are forgotten when they are old and nobody needs them', () => {
    const signs = new SignsOfLife();
    signs.hear({ old: 1, needed: 1, young: 9 }, 10);
    signs.forgetBefore(5, new Set(['needed']));
    expect(Object.keys(signs.all())).toEqual(['needed', 'young']);
  });
});

describe('whoever has listened for a while may judge', () => {
  const after = (...looks: readonly number[]): boolean =>
    mayJudge(looks.reduce<Listening | undefined>(listen, undefined) ?? { since: 0, lastAt: 0 });

  it('and not whoever has just begun', () => {
    expect(after(0)).toBe(false);
    expect(after(0, 7_000, 14_000)).toBe(false);
    expect(after(0, 7_000, 15_000)).toBe(true);
  });

  it('nor who was suspended, or whose clock was set', () => {
    expect(after(0, 8_000, 16_000, 3_600_000)).toBe(false);
    expect(after(0, 8_000, 16_000, 15_999)).toBe(false);
    expect(after(0, 8_000, 16_000, 3_600_000, 3_608_000, 3_616_000)).toBe(true);
  });
});
