import { afterEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { manualClock } from '@tidegate/kernel/testing';
import { documentsContract } from './documents.contract.ts';
import { executeContract } from './execute.contract.ts';
import { leasesContract } from './leases.contract.ts';
import { outboxContract } from './outbox.contract.ts';
import { projectionContract } from './projection.contract.ts';
import { type Open, storeContract } from './store.contract.ts';
import { openSqliteStore, type SqliteStore } from './store.sqlite.ts';

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const open: Open = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-store-'));
  cleanUps.push(() => rm(folder, { recursive: true }));
  const clock = manualClock(1_000_000);
  const start = async (): Promise<SqliteStore> => {
    const store = await openSqliteStore({ file: join(folder, 'data', 'store.db'), clock });
    cleanUps.push(() => store.close());
    return store;
  };
  let store = await start();
  return {
    store,
    clock,
    isExclusive: true,
    reopen: async ({ raiseEpoch } = { raiseEpoch: false }) => {
      if (raiseEpoch) await store.raiseEpoch();
      await store.close();
      store = await start();
      return store;
    },
  };
};

describe('the SQLite store', () => {
  storeContract(open);
  documentsContract(open);
  projectionContract(open);
  leasesContract(open);
  executeContract(open);
  outboxContract(open);

  it('frees what a killed process had leased or claimed: nobody waits for the dead', async () => {
    const { store, clock, reopen } = await open();
    const token = await store.leases.claim('run-1', 'runner-a', 60_000);
    const collection = { name: 'due', schemaVersion: 1, index: () => ({ dueAt: 0 }) };
    await store.documents(collection).save('a', { state: {}, version: 1, outbox: [] }, 0);
    expect(await store.documents(collection).claimDue(clock.now(), 60_000, 10)).toEqual(['a']);
    const next = await reopen();
    expect(await next.leases.claim('run-1', 'runner-b', 60_000)).toBeGreaterThan(Number(token));
    expect(await next.documents(collection).claimDue(clock.now(), 60_000, 10)).toEqual(['a']);
  });
});
