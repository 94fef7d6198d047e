import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { cli, makeFlags, openHouse, rolloutUntil, type Standalone, startRollout } from './house.ts';
import { start, temporaryFolder } from './process.ts';

jest.setTimeout(60_000);

const PLAN = `
plan: new-totals
flag: totals-read
checkEvery: 200ms
steps:
  - { migrate: totals, action: plan }
  - { approve: review, role: approver }
  - { migrate: totals, action: execute, batchSize: 2, onFailure: revert }
  - { migrate: totals, action: verify }
  - { migrate: read-totals, action: cutover, onFailure: revert }
  - { stage: everyone, percentage: 100, hold: 10m }
`;

const folder = temporaryFolder();
const database = new DatabaseSync(join(folder, 'shop.db'));
let house: Standalone;
let approver = '';

beforeAll(async () => {
  database.exec(`PRAGMA journal_mode = WAL;
    CREATE TABLE orders (id INTEGER PRIMARY KEY, price, total);
    INSERT INTO orders (price, total) VALUES (3, NULL), (4, NULL), (5, NULL), (6, 600)`);
  writeFileSync(
    join(folder, 'totals.mjs'),
    `export default { id: 'totals', target: 'shop', collection: 'orders',
      pending: { total: { equals: null } }, up: (order) => ({ ...order, total: order.price }) };`,
  );
  writeFileSync(
    join(folder, 'read-totals.mjs'),
    `export default { id: 'read-totals', phase: 'cutover', target: 'shop', collection: 'orders',
      dependsOn: ['totals'], flag: 'totals-read', variant: 'on' };`,
  );
  const args = ['key', 'new', 'robin', '--role', 'approver', '--env', '*', '--json'];
  await using made = start(cli, args);
  expect(await made.ended()).toBe(0);
  const { key, line } = JSON.parse(made.output()) as { key: string; line: string };
  approver = key;
  writeFileSync(join(folder, 'keys'), `${line}\n`);
  house = await openHouse({
    API_KEYS_FILE: join(folder, 'keys'),
    MIGRATIONS_DIR: folder,
    MIGRATION_TARGETS: `shop=sqlite:${join(folder, 'shop.db')}`,
    MIGRATION_CHECK_MS: '50',
    MIGRATION_SETTLE_MS: '50',
  });
  await makeFlags(house, 'totals-read');
});
afterAll(async () => {
  await house.program.kill();
  database.close();
});

const totals = () =>
  database
    .prepare('SELECT total FROM orders')
    .all()
    .map(({ total }) => total);
const approve = async (id: string) => {
  const env = { ...house.environment, TIDEGATE_KEY: approver };
  await using command = start(cli, ['rollout', 'approve', id, '-r', 'as expected'], env);
  return { code: await command.ended(), output: command.output() };
};

it('shows whoever approves what would change, and takes back with the flag what it has migrated', async () => {
  const id = await startRollout(house, 'new-totals', PLAN);
  await rolloutUntil(house, id, ({ hold }) => hold?.reason === 'awaiting-approval');
  const { code, output } = await approve(id);
  expect([code, output]).toEqual([0, expect.stringContaining('The dry run of totals/plan')]);
  expect(output).toContain('3 of 4 documents would change.');
  await rolloutUntil(house, id, ({ phase }) => phase === 'open');
  expect(totals()).toEqual([3, 4, 5, 600]);
  const reason = { body: { reason: 'the sums are wrong' } };
  const path = `/v1/rollouts/${id}/rollback`;
  expect((await house.ask('POST', 'metrics-gatekeeper', path, reason)).status).toBeLessThan(300);
  const { ended } = await rolloutUntil(house, id, ({ status }) => status === 'rolled-back');
  expect(ended?.message).toContain(
    'The flag is as it was before. read-totals is reverted. totals is reverted.',
  );
  expect(totals()).toEqual([null, null, null, 600]);
  const log = await house.tidegate('migration', 'log', 'totals');
  expect(log.output).toMatch(/ROLLED_BACK +revert/);
  expect(log.output).toContain('the sums are wrong');
});
