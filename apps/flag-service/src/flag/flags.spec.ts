import { flagDefinition } from '@tidegate/contracts';
import { manualClock } from '@tidegate/kernel/testing';
import { memoryStore } from '@tidegate/store/testing';
import { expect, it } from '@jest/globals';
import { flagCollection } from './flags.ts';
import { type StoredFlag, storedAs } from './stored-flag.ts';

const definition = flagDefinition.parse({
  type: 'boolean',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  offVariant: 'off',
  exposure: { variant: 'on', percentage: 0 },
});

it('takes a flag from before there were rules for one that has none', async () => {
  const store = memoryStore({ clock: manualClock(0) });
  const { prerequisites: _prerequisites, rules: _rules, ...earlier } = definition;
  const old = storedAs({ definition: earlier as typeof definition, salt: 's' }, 1);
  const first = store.documents<StoredFlag>({ name: 'flags', schemaVersion: 1, index: () => ({}) });
  await first.save('test/a', { state: old, version: 1, outbox: [] }, 0);
  const now = store.documents(flagCollection);
  expect((await now.load('test/a'))?.state).toMatchObject({ definition });
  expect(await now.list({ where: { living: true }, limit: 1 })).toHaveLength(1);
});

it('finds flags by what they refer to, and by when they are due', () => {
  const rules = [{ when: { not: { segment: 'beta' } }, variant: 'on' }];
  const prerequisites = [{ flag: 'payments', variants: ['on'] }];
  const entry = { at: 9, change: 'enable' as const, reason: 'go', by: 'alex' };
  const flag = {
    definition: { ...definition, rules, prerequisites },
    salt: 's',
    schedule: [entry],
  };
  expect(flagCollection.index(storedAs(flag, 1))).toEqual({
    living: true,
    'uses flag/payments': true,
    'uses segment/beta': true,
    dueAt: 9,
  });
  expect(flagCollection.index({ status: 'deleted', version: 2 })).toEqual({ living: false });
});
