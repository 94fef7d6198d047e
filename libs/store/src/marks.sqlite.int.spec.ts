import { expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from './layout.sqlite.ts';
import { Marks } from './marks.sqlite.ts';

it.each([0, 1, 10, 1_000])(
  'knows the marks of forty documents with room for %i in memory',
  async (most) => {
    const folder = await mkdtemp(join(tmpdir(), 'tidegate-store-'));
    const database = openDatabase(join(folder, 'store.db'));
    const marks = new Marks(database, most);
    const heads = Array.from({ length: 40 }, (_, n) => n + 1);
    const markOf = (head: number, seq: number) => ({
      source: `s-${head}`,
      id: `c-${seq}`,
      answer: { outcome: 'changed', version: seq } as const,
    });
    for (const seq of [1, 2, 3]) for (const head of heads) marks.add(head, seq, markOf(head, seq));
    for (const head of [...heads, ...heads.toReversed()])
      expect(marks.of(head)).toEqual([1, 2, 3].map((seq) => markOf(head, seq)));
    database.close();
    await rm(folder, { recursive: true });
  },
);
