import { it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { manualClock } from '@tidegate/kernel/testing';
import { agree, atOnce } from './agreement.contract.ts';
import { memoryStore } from './store.memory.ts';
import { openSqliteStore } from './store.sqlite.ts';

it('is the same store in memory and on disk, whatever is written at once and read then', async () => {
  const clock = manualClock(1_000);
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-store-'));
  const sqlite = await openSqliteStore({ file: join(folder, 'store.db'), clock });
  try {
    await agree(sqlite, memoryStore({ clock }), atOnce, { numRuns: 200 });
  } finally {
    await sqlite.close();
    await rm(folder, { recursive: true });
  }
}, 60_000);
