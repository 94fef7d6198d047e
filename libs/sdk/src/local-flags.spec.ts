import { describe, expect, it } from '@jest/globals';
import { flag, type FlagRecord, type ViewRecord } from '@tidegate/contracts';
import { LocalFlags } from './local-flags.ts';

const record = (key: string, version: number, percentage = 0): FlagRecord => ({
  key,
  epoch: 1,
  version,
  flag: flag.parse({
    definition: {
      type: 'boolean',
      variants: { on: true, off: false },
      defaultVariant: 'off',
      offVariant: 'off',
      exposure: { variant: 'on', percentage },
    },
    salt: 'salt',
  }),
});
const segment = (version: number): ViewRecord => ({
  key: 'beta',
  epoch: 1,
  version,
  segment: { definition: { members: ['ada'], excluded: [], tags: [] } },
});
const told = (changes: readonly { key: string; before?: unknown; after: FlagRecord }[]) =>
  changes.map(({ key, after }) => [key, after.version, after.flag !== null]);

describe('what is held', () => {
  it('takes segments beside flags, one of the same name too, and keeps the newer of each', () => {
    const flags = new LocalFlags();
    expect(told(flags.apply([segment(3), record('beta', 1)], 0))).toEqual([['beta', 1, true]]);
    expect(flags.apply([segment(2)], 0)).toEqual([]);
    expect(flags.snapshot()).toMatchObject({
      flags: [{ key: 'beta', version: 1 }],
      segments: [{ key: 'beta', version: 3 }],
    });
  });

  it('knows which flags may answer differently: those that changed, and those that build on what did', () => {
    const flags = new LocalFlags();
    const building = (key: string, definition: object): FlagRecord => {
      const { flag: made, ...rest } = record(key, 1);
      return {
        ...rest,
        flag: flag.parse({ ...made, definition: { ...made?.definition, ...definition } }),
      };
    };
    const states = [
      record('alone', 1),
      building('by-segment', { rules: [{ when: { segment: 'beta' }, variant: 'on' }] }),
      building('by-flag', { prerequisites: [{ flag: 'by-segment', variants: ['on'] }] }),
    ];
    flags.apply([...states, segment(1)], 0);
    expect(flags.lastAffected().toSorted()).toEqual(['alone', 'by-flag', 'by-segment']);
    flags.apply([segment(2)], 0);
    expect(flags.lastAffected().toSorted()).toEqual(['by-flag', 'by-segment']);
    flags.apply([segment(1), record('alone', 1)], 0);
    expect(flags.lastAffected()).toEqual([]);
    flags.replace([...states, segment(2)], 0);
    expect(flags.lastAffected()).toEqual([]);
    flags.replace(states, 0);
    expect(flags.lastAffected().toSorted()).toEqual(['by-flag', 'by-segment']);
  });

  it('can be replaced as a whole, whatever the revisions are', () => {
    const flags = new LocalFlags();
    flags.apply([record('a', 5), record('b', 5), record('c', 5)], 0);
    const changes = flags.replace([record('a', 5), record('b', 2, 100_000), record('d', 1)], 0);
    expect(told(changes)).toEqual([
      ['b', 2, true],
      ['d', 1, true],
      ['c', 5, false],
    ]);
    expect(flags.evaluate('b', false).value).toBe(true);
    expect(flags.evaluate('c', false).errorCode).toBe('FLAG_NOT_FOUND');
    expect(flags.replace([record('a', 5), record('b', 2, 100_000), record('d', 1)], 0)).toEqual([]);
  });
});
