import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type MigrationReport, migrationReport } from '@tidegate/contracts';
import { eventually } from '@tidegate/kernel/testing';
import { startTestService, type TestService } from '@tidegate/platform/testing';
import { migrationRunner } from '../index.ts';

const cleanUp: (() => void)[] = [];
afterEach(() => {
  for (const each of cleanUp.splice(0).reverse()) each();
});

const FILES = {
  'order-index': `{ id: 'order-index', phase: 'schema', target: 'shop', collection: 'orders',
    indexes: [{ name: 'orders_by_total', fields: { total: 1, id: 1 } }] }`,
  'order-totals': `{ id: 'order-totals', target: 'shop', collection: 'orders', dependsOn: ['order-index'],
    pending: { total: { equals: null } },
    up: (order) => { if (order.items === 13) throw new Error('thirteen'); return { ...order, total: order.items * 2 }; },
    invariants: [{ name: 'total-is-double', holds: (o) => o.total === null || o.total === o.items * 2 }],
    groupBy: (o) => o.items % 2 === 0 ? 'even' : 'odd' }`,
  'order-reads': `{ id: 'order-reads', phase: 'cutover', target: 'shop', collection: 'orders',
    flag: 'order-amount', variant: 'total', dependsOn: ['order-totals'] }`,
};

async function shop(orders: number) {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-shop-'));
  cleanUp.push(() => rmSync(folder, { recursive: true }));
  const database = new DatabaseSync(join(folder, 'shop.db'));
  cleanUp.push(() => database.close());
  database.exec('CREATE TABLE orders (id INTEGER PRIMARY KEY, items, total)');
  const insert = database.prepare('INSERT INTO orders (items) VALUES (?)');
  for (let order = 1; order <= orders; order += 1) insert.run(order);
  for (const [id, definition] of Object.entries(FILES))
    writeFileSync(join(folder, `${id}.mjs`), `export default ${definition};`);
  const service = await startTestService(migrationRunner, {
    env: {
      MIGRATIONS_DIR: folder,
      MIGRATION_TARGETS: `shop=sqlite:${join(folder, 'shop.db')}`,
      MIGRATION_CHECK_MS: '50',
      MIGRATION_SETTLE_MS: '50',
    },
  });
  return { database, service };
}

interface Ended {
  readonly run: string;
  readonly status: string;
  readonly code?: string;
  readonly report: MigrationReport;
  readonly markdown: string;
}

/** Runs an action to its end; its report is one that the schema knows, and has a page. */
async function run(service: TestService, migration: string, body: object): Promise<Ended> {
  const started = await service.post<{ run: string }>('/v1/runs', { migration, ...body });
  expect(started).toMatchObject({ status: 201 });
  const path = `/v1/runs/${started.body.run}`;
  const ended = (await eventually(async () => {
    const { body: now } = await service.get<Ended>(path);
    return now.status !== 'running' && now;
  }, 10_000)) as Ended;
  const { text } = await service.get(`${path}/report`, { accept: 'text/markdown' });
  return { ...ended, report: migrationReport.parse(ended.report), markdown: text };
}

describe('every action', () => {
  it('reports what it has found and done', async () => {
    const { database, service } = await shop(200);
    const missing = await run(service, 'order-index', { action: 'plan' });
    expect(missing.report).toMatchObject({
      about: 'schema',
      wanted: ['index orders_by_total on total, id'],
      missing: [expect.stringContaining('orders_by_total')],
    });
    const built = await run(service, 'order-index', { action: 'execute' });
    expect(built.report).toMatchObject({ verdict: 'go', missing: [] });

    const planned = await run(service, 'order-totals', { action: 'plan', onError: 'skip' });
    expect(planned.report).toMatchObject({
      verdict: 'look',
      wouldChange: 199,
      failed: 1,
      index: 'orders_by_total',
    });
    expect(planned.markdown).toMatch(
      /^# order-totals: dry run\n\n\*\*Look first\.\*\* 199 of 200 documents would change/,
    );

    const kept = await run(service, 'order-totals', { action: 'backup', onError: 'skip' });
    expect(kept.report).toMatchObject({ kind: 'before-images', documents: 199 });

    const done = await run(service, 'order-totals', {
      action: 'execute',
      onError: 'skip',
      batchSize: 2,
    });
    expect(done.report).toMatchObject({
      verdict: 'look',
      changed: 199,
      failed: 1,
      pending: 1,
      failures: [{ code: 'MIGRATION_UP_FAILED', count: 1, examples: [{ key: 13 }] }],
    });
    if (done.report.about !== 'documents' || done.report.action !== 'execute')
      throw new Error('which report?');
    const { lines, batches } = done.report;
    expect(lines.length).toBeLessThanOrEqual(64);
    expect(lines.reduce((sum, line) => sum + line.batches, 0)).toBe(batches);
    expect(lines.reduce((sum, line) => sum + line.changed, 0)).toBe(199);
    expect([lines[0]?.first, lines.at(-1)?.last]).toEqual([1, 200]);

    database.exec(
      'UPDATE orders SET items = 20, total = 40 WHERE id = 10; DELETE FROM orders WHERE id = 11',
    );
    const verified = await run(service, 'order-totals', { action: 'verify', sampleSize: 1_000 });
    expect(verified).toMatchObject({
      status: 'completed',
      report: {
        verdict: 'look',
        pending: 1,
        leftOnPurpose: 1,
        checked: 199,
        checksums: { compared: 199, written: 197, edited: 1, before: 0, gone: 1 },
      },
    });

    const proven = await run(service, 'order-reads', { action: 'cutover' });
    expect(proven).toMatchObject({
      status: 'completed',
      report: {
        about: 'cutover',
        of: [
          {
            migration: 'order-totals',
            verified: verified.run,
            pending: 1,
            pendingLater: 1,
            leftOnPurpose: 1,
          },
        ],
        flag: 'order-amount',
      },
    });

    const back = await run(service, 'order-reads', { action: 'revert' });
    expect(back.report).toMatchObject({
      about: 'cutover',
      action: 'revert',
      findings: [{ code: 'switch-back' }],
    });

    const reverted = await run(service, 'order-totals', { action: 'revert' });
    expect(reverted.report).toMatchObject({
      verdict: 'look',
      restored: 197,
      gone: 1,
      listed: [{ key: 10, reason: expect.stringContaining('edited') }],
    });
    const left = database.prepare('SELECT id FROM orders WHERE total IS NOT NULL').all();
    expect(left.map(({ id }) => id)).toEqual([10]);
  }, 60_000);

  it('is not proven for a cutover while something is pending', async () => {
    const { service } = await shop(3);
    await run(service, 'order-index', { action: 'execute' });
    const planned = await run(service, 'order-reads', { action: 'plan' });
    expect(planned).toMatchObject({
      status: 'completed',
      report: { verdict: 'no-go', findings: [{ code: 'still-pending' }, { code: 'not-verified' }] },
    });
  });

  it('says that the way back is given up', async () => {
    const { service } = await shop(3);
    await run(service, 'order-index', { action: 'execute' });
    await run(service, 'order-totals', { action: 'execute' });
    await run(service, 'order-totals', { action: 'verify' });
    await run(service, 'order-totals', { action: 'cutover' });
    const cleaned = await run(service, 'order-totals', { action: 'cleanup' });
    expect(cleaned.report).toMatchObject({
      action: 'cleanup',
      findings: [{ code: 'way-back-given-up' }],
    });
    expect(cleaned.markdown).toContain('of before-images are forgotten');
  });
});
