import { expect, it } from '@jest/globals';
import { manualClock } from '@tidegate/kernel/testing';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from './store.sqlite.ts';

it('knows the marks of more documents than it keeps in memory', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-store-'));
  const store = await openSqliteStore({ file: join(folder, 'store.db'), clock: manualClock() });
  const documents = store.documents<number>({ name: 'n', schemaVersion: 1, index: () => ({}) });
  const [count, most] = [220, 256];
  for (let token = 0; token < most; token += 1)
    await Promise.all(
      Array.from({ length: count }, (_, n) => {
        const answer = { outcome: 'changed', version: n } as const;
        const mark = { source: `s-${n}`, id: `c-${token}`, answer };
        return documents.save(`d-${n}`, { state: n, version: 1, mark, outbox: [] }, token);
      }),
    );
  for (let n = 0; n < count; n += 1) {
    const handled = (await documents.load(`d-${n}`))?.handled;
    expect(handled).toHaveLength(most);
    expect(handled?.at(-1)).toEqual({
      source: `s-${n}`,
      id: 'c-255',
      answer: { outcome: 'changed', version: n },
    });
  }
  await store.close();
  await rm(folder, { recursive: true });
});
