import type { FlagRecord } from '@tidegate/contracts';
import { flagDefinition } from '@tidegate/contracts';
import { expect, it } from '@jest/globals';
import { EnvironmentFlags } from './environment-flags.ts';

const definition = flagDefinition.parse({
  type: 'boolean',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  offVariant: 'off',
  exposure: { variant: 'on', percentage: 100_000 },
});
const record = (version: number, changes: Partial<FlagRecord> = {}): FlagRecord => ({
  key: 'checkout-v2',
  epoch: 1,
  version,
  flag: { definition, salt: 'salt' },
  ...changes,
});

it('tells its listeners of what is newer, once, as one event', () => {
  const flags = new EnvironmentFlags();
  const heard: string[] = [];
  flags.onChange((event) => heard.push(event));
  for (const version of [1, 3, 2, 3]) flags.merge(record(version));
  expect(heard.map((event) => JSON.parse(event.split('\ndata: ')[1] ?? '').version)).toEqual([
    1, 3,
  ]);
  expect(heard[0]).toMatch(/^event: flag\ndata: .*\n\n$/);
});

it('tells nobody who has left', () => {
  const flags = new EnvironmentFlags();
  const heard: string[] = [];
  const leave = flags.onChange((event) => heard.push(event));
  leave();
  flags.merge(record(1));
  expect(heard).toEqual([]);
});

it('lets a state of a later epoch replace one of a higher version', () => {
  const flags = new EnvironmentFlags();
  flags.merge(record(9));
  expect(flags.merge(record(4, { epoch: 2 }))).toBe(true);
  expect(flags.get('checkout-v2')).toMatchObject({ epoch: 2, version: 4 });
});

it('makes its snapshot once per change', () => {
  const flags = new EnvironmentFlags();
  flags.merge(record(1));
  const first = flags.snapshot();
  expect(flags.snapshot()).toBe(first);
  flags.merge(record(2));
  expect(flags.snapshot().digest).not.toBe(first.digest);
  expect(JSON.parse(flags.snapshot().text)).toMatchObject({ flags: [{ version: 2 }] });
});

it('evaluates what it holds now, and no flag that is deleted', () => {
  const flags = new EnvironmentFlags();
  flags.merge(record(1));
  expect(flags.evaluator().evaluate('checkout-v2', undefined)).toMatchObject({ value: true });
  flags.merge(record(2, { flag: null }));
  expect(flags.evaluator().evaluate('checkout-v2', undefined)).toMatchObject({
    errorCode: 'FLAG_NOT_FOUND',
  });
});

it('knows when a flag changed only where somebody said so', () => {
  const flags = new EnvironmentFlags();
  flags.merge(record(1), 70);
  expect(flags.changedAt('checkout-v2')).toBe(70);
  flags.merge(record(2));
  expect(flags.changedAt('checkout-v2')).toBeUndefined();
});
