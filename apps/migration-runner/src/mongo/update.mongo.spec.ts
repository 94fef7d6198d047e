import { expect, it } from '@jest/globals';
import { editOf, type Path } from '@tidegate/migration';
import { updateOf } from './update.mongo.ts';

it.each<[string, readonly Path[] | undefined]>([
  ['reads its key', [['_id'], ['n']]],
  ['reads another field', [['n']]],
  ['compares all of it', undefined],
])('looks a document up by its key where the migration %s', (_what, reads) => {
  const edit = editOf({ _id: 'a', n: 1 }, { _id: 'a', n: 2 }, reads);
  expect(updateOf(edit, false).filter).toMatchObject({ _id: 'a', n: { $eq: 1 } });
});
