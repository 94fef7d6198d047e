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
