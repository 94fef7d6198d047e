import { describe, expect, it } from '@jest/globals';
import { isNewer } from '@tidegate/kernel';
import { flag, type FlagRecord, segment, type ViewRecord } from '@tidegate/contracts';
import fc from 'fast-check';
import { FlagView } from './flag-view.ts';

const made = flag.parse({
  definition: {
    type: 'boolean',
    variants: { on: true, off: false },
    defaultVariant: 'off',
    offVariant: 'off',
    exposure: { variant: 'on', percentage: 0 },
  },
  salt: 'salt',
});
/** One state per (key, epoch, version), as the store makes them; some of them deletions. */
const state = (key: string, epoch: number, version: number): FlagRecord => ({
  key,
  epoch,
  version,
  flag: (epoch + version) % 4 === 0 ? null : { ...made, salt: `${epoch}.${version}` },
});
const segmentState = (key: string, epoch: number, version: number): ViewRecord => ({
  key,
  epoch,
  version,
  segment: version % 4 === 0 ? null : segment.parse({ definition: { tags: [`v${version}`] } }),
});
const states = fc.array(
  fc
    .tuple(
      fc.constantFrom(state, state, segmentState),
      fc.constantFrom('a', 'b', 'c'),
      fc.nat({ max: 3 }),
      fc.nat({ max: 6 }),
    )
    .map(([of, key, epoch, version]) => of(key, epoch, version)),
  { maxLength: 30 },
);
const viewOf = (all: readonly ViewRecord[]) => {
  const view = new FlagView();
  for (const each of all) view.apply(each);
  return view;
};
const shuffled = (all: readonly ViewRecord[], seeds: readonly number[]) =>
  all
    .map((each, i) => [seeds[i % Math.max(1, seeds.length)] ?? 0, each] as const)
    .sort(([a], [b]) => a - b)
    .map(([, each]) => each);

describe('a view of flags', () => {
  it('is the same for any order and any repetition of the states', () => {
    fc.assert(
      fc.property(states, fc.array(fc.integer()), (all, seeds) => {
        const other = viewOf(shuffled([...all, ...all], seeds));
        expect(other.snapshot()).toEqual(viewOf(all).snapshot());
      }),
    );
  });

  it('holds the newest state of each key', () => {
    fc.assert(
      fc.property(states, (all) => {
        const view = viewOf(all);
        for (const each of all) {
          const held = view.holds(each);
          expect(held && isNewer(each, held)).toBe(false);
          expect(all).toContain(held);
        }
      }),
    );
  });

  it('says for each state whether it changed something', () => {
    const view = new FlagView();
    expect(view.apply(state('a', 1, 2))).toBe(true);
    expect(view.apply(state('a', 1, 2))).toBe(false);
    expect(view.apply(state('a', 1, 1))).toBe(false);
    expect(view.apply(state('a', 2, 1))).toBe(true);
  });

  it('does not bring a deleted flag back for a late state', () => {
    const view = viewOf([state('a', 1, 3), state('a', 1, 2)]);
    expect(view.flags()).toEqual([]);
    expect(view.get('a')).toMatchObject({ version: 3, flag: null });
  });

  it('has another digest exactly when it holds other states', () => {
    fc.assert(
      fc.property(states, states, (all, others) => {
        const [one, two] = [viewOf(all).snapshot(), viewOf(others).snapshot()];
        const held = ({ flags, segments }: typeof one) => JSON.stringify([flags, segments]);
        const same = held(one) === held(two);
        expect(one.digest === two.digest).toBe(same);
      }),
    );
  });

  it('takes a flag and a segment of the same name for two things', () => {
    const view = viewOf([state('a', 1, 2), segmentState('a', 1, 1)]);
    expect(view.get('a')).toMatchObject({ version: 2 });
    expect(view.segment('a')).toMatchObject({ version: 1 });
    expect(view.flags()).toHaveLength(1);
    expect([...view]).toHaveLength(2);
    expect(view.digest).not.toBe(viewOf([state('a', 1, 2)]).digest);
  });

  it('makes its snapshot once per change', () => {
    const view = viewOf([state('a', 1, 1)]);
    const first = view.snapshot();
    view.apply(state('a', 1, 1));
    expect(view.snapshot()).toBe(first);
    view.apply(state('b', 1, 1));
    expect(view.snapshot()).not.toBe(first);
    expect(first.flags).toHaveLength(1);
  });
});
