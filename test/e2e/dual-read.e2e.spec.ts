import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { exampleIsCurrent, FLAGS, openWorld, type World } from '../faults/world.ts';
import { expectOk, isOver, rolloutOf, rolloutUntil, startRollout } from './house.ts';

jest.setTimeout(120_000);

const examples = join(import.meta.dirname, '../../docs/how-to/examples');
const shown = (file: string): string => readFileSync(join(examples, file), 'utf8');

/** As the how-to shows it, but for where the example is. */
const plan = ({ example }: World): string =>
  shown('read-kept-totals.yaml').replaceAll('http://127.0.0.1:7410', example.url);

const exposureOf = async (world: World): Promise<unknown> => {
  const path = `${FLAGS}/order-amount`;
  const { body } = await world
    .house()
    .ask<{ flag: { definition: { exposure: unknown } } }>('GET', 'flag-service', path);
  return body.flag.definition.exposure;
};

const counted = async ({ example }: World, mode: string, outcome: string): Promise<number> => {
  const text = await (await fetch(`${example.url}/metrics`)).text();
  const series = `checkout_dual_read_comparisons_total{read="order-amount",mode="${mode}",outcome="${outcome}"} `;
  const line = text.split('\n').find((each) => each.startsWith(series));
  return Number(line?.slice(series.length));
};

it('a mismatch in the shadow takes the new reading back; once the data is migrated it takes over', async () => {
  await using world = await openWorld(1_000);
  const house = world.house();
  const definition = JSON.parse(shown('order-amount.json')) as object;
  expectOk(await house.ask('PUT', 'flag-service', `${FLAGS}/order-amount`, { body: definition }));
  await exampleIsCurrent(world);

  const tooSoon = await startRollout(house, 'read-kept-totals', plan(world));
  const { status, rollback } = await rolloutUntil(house, tooSoon, isOver);
  expect(status).toBe('rolled-back');
  expect(rollback?.message).toContain('no-mismatch');
  expect(await counted(world, 'shadow', 'mismatch')).toBeGreaterThan(0);
  expect(await counted(world, 'new', 'match')).toBe(0);
  expect(await exposureOf(world)).toEqual({ variant: 'shadow', percentage: 0 });

  const migrated = await house.tidegate('migration', 'run', 'order-totals', '--execute');
  expect(migrated).toMatchObject({ code: 0 });
  const body = { plan: 'read-kept-totals', environment: 'production' };
  const again = await house.ask<{ id: string }>('POST', 'metrics-gatekeeper', '/v1/rollouts', {
    body,
  });
  await eventually(async () => isOver(await rolloutOf(house, again.body.id)), 60_000);
  expect(await rolloutOf(house, again.body.id)).toMatchObject({ status: 'completed' });
  expect(await exposureOf(world)).toEqual({ variant: 'new', percentage: 100 });
  expect(await counted(world, 'new', 'match')).toBeGreaterThan(0);
  expect(await counted(world, 'new', 'mismatch')).toBe(0);
});
