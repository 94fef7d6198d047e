import { expect, it } from '@jest/globals';
import { Clears } from './clears.mongo.ts';

/** A server that takes its time: each write waits until it is let through, or fails. */
function slowServer() {
  const writes: { id: string; seqs: number[]; pass: () => void; fail: () => void }[] = [];
  const clears = new Clears((id, seqs) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const fail = () => {
      reject(new Error('The server is gone.'));
    };
    writes.push({ id, seqs: [...seqs], pass: resolve, fail });
    return promise;
  });
  return { writes, clears };
}

const turn = () =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

it('writes once for all lanes of a document that are cleared together, and apart for each document', async () => {
  const { writes, clears } = slowServer();
  const done = [clears.clear('a', [1]), clears.clear('a', [2, 3]), clears.clear('b', [1])];
  await turn();
  expect(writes.map(({ id, seqs }) => [id, seqs])).toEqual([
    ['a', [1, 2, 3]],
    ['b', [1]],
  ]);
  for (const { pass } of writes) pass();
  await Promise.all(done);
});

it('gathers what comes while a write is under way for the next one, also when that fails', async () => {
  const { writes, clears } = slowServer();
  const first = clears.clear('a', [1]);
  await turn();
  const second = [clears.clear('a', [2]), clears.clear('a', [3])];
  await turn();
  expect(writes).toHaveLength(1);
  writes[0]?.fail();
  await expect(first).rejects.toThrow('The server is gone.');
  await turn();
  expect(writes[1]?.seqs).toEqual([2, 3]);
  writes[1]?.fail();
  for (const each of second) await expect(each).rejects.toThrow('The server is gone.');
});

it('tells whoever reads meanwhile what was cleared, and only once it is', async () => {
  const { writes, clears } = slowServer();
  const clearing = clears.clear('a', [1, 2]);
  await turn();
  const seen = await clears.during('a', async (cleared) => {
    const before = [...cleared];
    writes[0]?.pass();
    await clearing;
    return { before, after: [...cleared] };
  });
  expect(seen).toEqual({ before: [], after: [1, 2] });
  expect(await clears.during('a', async (cleared) => [...cleared])).toEqual([]);
  expect(await clears.during('b', async (cleared) => [...cleared])).toEqual([]);
});
