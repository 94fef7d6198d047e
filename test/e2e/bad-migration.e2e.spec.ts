import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { openHouse, type Standalone } from './house.ts';
import { temporaryFolder } from './process.ts';

jest.setTimeout(60_000);

const folder = temporaryFolder();
const file = join(folder, 'shop.db');
const totals = join(folder, 'totals.mjs');
const env = {
  DATA_DIR: join(folder, 'data'),
  MIGRATIONS_DIR: folder,
  MIGRATION_TARGETS: `shop=sqlite:${file}`,
  MIGRATION_CHECK_MS: '50',
};
let house: Standalone;

beforeAll(async () => {
  const database = new DatabaseSync(file);
  database.exec(`PRAGMA journal_mode = WAL;
    CREATE TABLE orders (id INTEGER PRIMARY KEY, price, total, note);
    INSERT INTO orders (price) VALUES (3), (4), (5)`);
  database.close();
  const about = "target: 'shop', collection: 'orders',";
  writeFileSync(
    totals,
    `export default { id: 'totals', ${about} pending: { total: { equals: null } },
      up: (order) => ({ ...order, total: order.price }) };`,
  );
  writeFileSync(
    join(folder, 'tidy.mjs'),
    `export default { id: 'tidy', ${about} phase: 'cleanup', dependsOn: ['totals'],
      pending: { note: { not: null } }, up: (order) => ({ ...order, note: null }) };`,
  );
  writeFileSync(
    join(folder, 'empty.mjs'),
    `export default { id: 'empty', ${about} filter: { price: { above: 1000 } },
      pending: { total: { equals: null } }, up: (order) => ({ ...order, total: 0 }) };`,
  );
  writeFileSync(
    join(folder, 'misplaced.mjs'),
    `export default { id: 'misplaced', target: 'shop', collection: 'parcels',
      pending: { total: { equals: null } }, up: (order) => ({ ...order, total: 0 }) };`,
  );
  house = await openHouse(env);
});
afterAll(() => house.program.kill());

const untouched = (): boolean => {
  const database = new DatabaseSync(file, { readOnly: true });
  const row = database.prepare('SELECT count(*) AS n FROM orders WHERE total IS NULL').get();
  database.close();
  return row?.['n'] === 3;
};
const migrate = (...args: string[]) => house.tidegate('migration', 'run', ...args);

describe('a migration that cannot be done', () => {
  it.each([
    [
      ['nothing', '--execute'],
      'There is no migration nothing; the runner knows empty, misplaced, tidy, totals.',
    ],
    [['totals', '--revert'], 'totals is not executed: there is nothing to undo.'],
    [['totals', '--cutover'], 'totals is not executed'],
    [['totals', '--cleanup'], 'its before-images are still needed'],
    [['empty', '--execute'], 'MIGRATION_NOTHING_MATCHED'],
    [['misplaced', '--dry-run'], 'parcels'],
    [['tidy', '--execute'], 'tidy depends on totals, which is not executed.'],
    [['totals', '--execute', '--min-batch-size=600'], 'is more than batchSize, which is 500'],
    [['totals', '--execute', '--max-errors=5'], 'needs onError: skip or quarantine'],
    [['totals', '--verify', '--on-error=skip'], 'means something only to plan, execute and backup'],
    [['totals', '--execute', '--window=22:00-06:00', '--time-zone=Mars'], 'is no time zone'],
    [['totals', '--execute', '--probe=ftp://x'], 'probe'],
  ])('%j is told why, and nothing is touched', async (args, why) => {
    const { code, output } = await migrate(...args);
    expect([code, output]).toEqual([1, expect.stringContaining(why)]);
    expect(untouched()).toBe(true);
  });

  it('is told so in a plan, with its line', async () => {
    const body =
      'plan: demo\nflag: x\nsteps:\n  - { migrate: totals, action: plan, onFailure: revert }\n  - { stage: all, percentage: 5, hold: 1s }\n';
    const path = '/v1/plans/demo?dryRun=true';
    expect(await house.ask('PUT', 'metrics-gatekeeper', path, { body })).toMatchObject({
      status: 422,
      body: {
        errors: [{ line: 4, detail: expect.stringContaining('execute, verify and cutover') }],
      },
    });
  });

  it('is refused what would come too early after that', async () => {
    expect((await migrate('totals', '--execute')).code).toBe(0);
    expect((await migrate('totals', '--cleanup')).output).toContain(
      'the cutover of totals has not been completed',
    );
    expect((await migrate('totals', '--cutover')).output).toContain('totals is not verified');
  });

  it('is refused a text that was changed since, until somebody says why it is right', async () => {
    await house.program.kill();
    writeFileSync(totals, `${readFileSync(totals, 'utf8')} // commented`);
    house = await openHouse(env);
    const { code, output } = await migrate('totals', '--dry-run');
    expect([code, output]).toEqual([1, expect.stringMatching(/is not what m-\S+ executed/)]);
    expect((await migrate('totals', '--dry-run', '--accept-change=a comment')).code).toBe(0);
    const log = await house.tidegate('migration', 'log', 'totals');
    expect(log.output).toMatch(/STARTED +execute[^]*COMPLETED +execute[^]*changed text: a comment/);
  });
});
