import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Migration } from '@tidegate/migration';
import { runnerWorld } from '../run/runner-world.contract.ts';
import { snapshotWebhook } from './snapshot.webhook.ts';

const totals: Migration = {
  id: 'totals',
  target: 'shop',
  collection: 'orders',
  pending: { total: { equals: null } },
  up: (order) => ({ ...order, total: 1 }),
};

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of cleanUp.splice(0).reverse()) await each();
});

type Answer = readonly [status: number, body: string];
const answer = (body: object): Answer => [200, JSON.stringify(body)];

/** Gives one answer after the other, the last one for ever, and remembers what it was asked. */
async function webhook(...answers: readonly Answer[]) {
  const asked: { key: unknown; body: unknown }[] = [];
  const server = createServer((request, response) => {
    void request.toArray().then((chunks) => {
      const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
      asked.push({ key: request.headers['idempotency-key'], body });
      const [status, text] = answers[asked.length - 1] ?? answers.at(-1) ?? [500, ''];
      response.writeHead(status).end(text);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const ask = snapshotWebhook(`http://127.0.0.1:${port}/snapshots?key=secret`, {
    timeoutMs: 5_000,
  });
  return { asked, ask };
}

describe('a backup with a managed snapshot', () => {
  it('waits until it is there, asks with the same words, and keeps nothing itself', async () => {
    const world = runnerWorld(5, totals);
    const { ask, asked } = await webhook(
      answer({ status: 'running', snapshot: 's-1', message: '40 %' }),
      [503, 'busy'],
      answer({ status: 'done', snapshot: 's-1' }),
    );
    await world.ask('m-1', 'backup');
    const runner = world.start({ snapshot: ask });
    for (let time = 0; time < 3; time += 1) await runner.advance('m-1');
    expect(runner.waits.filter((wait) => wait)).toMatchObject([
      { reason: 'MIGRATION_BACKUP_PENDING', message: expect.stringContaining('40 %') },
      { reason: 'MIGRATION_BACKUP_FAILED', message: expect.stringContaining('503') },
    ]);
    expect(await world.state('m-1')).toMatchObject({
      status: 'completed',
      report: { kind: 'snapshot', snapshot: 's-1' },
    });
    const wanted = { run: 'm-1', migration: 'totals', target: 'shop' };
    expect(asked).toEqual([1, 2, 3].map(() => ({ key: 'm-1', body: wanted })));
    const journal = runner.store.projection('migration-journal');
    expect(await journal.last('totals')).toBeUndefined();
  });

  it.each<[string, Answer]>([
    ['No room.', answer({ status: 'failed', message: 'No room.' })],
    ['refused with 403', [403, '']],
  ])('fails when it cannot be had: %s', async (message, only) => {
    const world = runnerWorld(5, totals);
    const { ask } = await webhook(only);
    await world.ask('m-1', 'backup');
    await world.start({ snapshot: ask }).advance('m-1');
    const state = await world.state('m-1');
    expect(state).toMatchObject({
      status: 'failed',
      code: 'MIGRATION_BACKUP_FAILED',
      message: expect.stringContaining(message),
    });
    expect(JSON.stringify(state)).not.toContain('secret');
  });

  it('waits for whoever answers nonsense, or not at all', async () => {
    const world = runnerWorld(5, totals);
    const { ask } = await webhook([200, '<html>']);
    await world.ask('m-1', 'backup');
    const runner = world.start({ snapshot: ask });
    await runner.advance('m-1');
    expect(runner.waits.at(-1)?.message).toContain('without { status');
    const nobody = world.start({
      snapshot: snapshotWebhook('http://127.0.0.1:1/?key=secret', { timeoutMs: 1_000 }),
    });
    await nobody.advance('m-1');
    expect(nobody.waits.at(-1)?.message).toContain('could not be reached');
    expect((await world.state('m-1')).status).toBe('running');
  });
});
