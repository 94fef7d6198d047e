import { afterEach, describe } from '@jest/globals';
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
});
