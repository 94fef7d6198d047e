import { expect, it } from '@jest/globals';
import type { mongo } from 'mongoose';
import { editOf } from '@tidegate/migration';
import { WRITE_MS } from '../target/target.port.ts';
import { writeAll, type Writer } from './write.mongo.ts';

const COMMAND_MS = 200;

interface Update {
  readonly updateOne: { readonly filter: { readonly _id: number } };
}

/** A distant server that writes nothing of a command with a document that it refuses, as FerretDB may. */
function distant(isRefused: (id: number) => boolean) {
  const timeouts: number[] = [];
  const written = new Set<number>();
  let now = 0;
  const take = (timeoutMS: number): void => {
    timeouts.push(timeoutMS);
    now += COMMAND_MS;
  };
  const collection = {
    bulkWrite: async (updates: readonly Update[], { timeoutMS }: { timeoutMS: number }) => {
      take(timeoutMS);
      const ids = updates.map(({ updateOne }) => updateOne.filter._id);
      if (ids.some(isRefused)) throw Object.assign(new Error('E11000'), { code: 11_000 });
      for (const id of ids) written.add(id);
      return { matchedCount: ids.length };
    },
    find: (_filter: unknown, { timeoutMS }: { timeoutMS: number }) => ({
      toArray: async () => {
        take(timeoutMS);
        return [];
      },
    }),
  };
  const writer: Writer = {
    collection: collection as unknown as mongo.Collection,
    hasExpressions: false,
    leftMs: () => WRITE_MS - now,
  };
  return { writer, timeouts, written, now: () => now };
}

const edits = Array.from({ length: 500 }, (_, _id) => editOf({ _id, n: 1 }, { _id, n: 2 }, []));

it('finds the one document that is refused among many in the time of a write', async () => {
  const server = distant((id) => id === 321);
  const results = await writeAll(server.writer, edits);
  expect(results.flatMap((each, id) => (each === 'written' ? [] : [[id, each]]))).toEqual([
    [321, { refused: 'E11000' }],
  ]);
  expect(server.written.size).toBe(499);
  expect(server.now()).toBeLessThan(WRITE_MS / 2);
});

it('writes nothing any more when the time of a write is over, however much is refused', async () => {
  const server = distant(() => true);
  await expect(writeAll(server.writer, edits)).rejects.toMatchObject({
    code: 'MIGRATION_TARGET_UNREACHABLE',
    retryable: true,
  });
  expect(server.now()).toBeLessThanOrEqual(WRITE_MS);
  expect(server.timeouts).toEqual(server.timeouts.map((_, index) => WRITE_MS - index * COMMAND_MS));
});
