import { flagDefinition } from '@tidegate/contracts';
import { expect, it } from '@jest/globals';
import { standingOf } from './standing.ts';

const flag = {
  definition: flagDefinition.parse({
    type: 'boolean',
    variants: { on: true, off: false },
    defaultVariant: 'off',
    offVariant: 'off',
    exposure: { variant: 'on', percentage: 0 },
  }),
  salt: 'salt',
};
const held = (version: number) => ({ version, view: flag });
const record = (epoch: number, version: number, state: typeof flag | null = flag) => ({
  key: 'checkout-v2',
  epoch,
  version,
  view: state,
});
/** The backup is of epoch 2; the epoch was raised to 3. */
const epochs = { since: 2, epoch: 3 };

it.each([
  ['the same version', record(2, 5), held(5), 'known'],
  ['an earlier version', record(2, 4), held(5), 'known'],
  ['a later version', record(2, 6), held(5), 'lost'],
  ['a flag that the backup does not have', record(2, 1), undefined, 'lost'],
  ['a deletion after the backup', record(2, 6, null), held(5), 'lost'],
  ['the deletion of a flag that the backup does not have', record(2, 2, null), undefined, 'known'],
  ['a version of an epoch before the backup', record(1, 9), held(5), 'known'],
  ['what a recovery has published already', record(3, 5), held(5), 'known'],
  ['another state of the same epoch', record(3, 5, { ...flag, salt: 'other' }), held(5), 'foreign'],
  ['another version of the same epoch', record(3, 4), held(5), 'foreign'],
  ['an epoch that is not reached yet', record(4, 1), held(5), 'foreign'],
] as const)('%s', (_what, state, document, standing) => {
  expect(standingOf(state, document, epochs)).toBe(standing);
});

it('counts everything as lost that is of an epoch after the backup, whatever its version', () => {
  expect(standingOf(record(2, 1), held(5), { since: 1, epoch: 3 })).toBe('lost');
});
