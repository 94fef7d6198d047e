import { flagDefinition, type PutFlag } from '@tidegate/contracts';
import { reject } from '@tidegate/kernel';
import type { Exchange, ServiceContext } from '@tidegate/platform';
import { expect, it } from '@jest/globals';
import type { PastChange } from '../history/history.ts';
import type { CopyFlag } from './copy-flag.handler.ts';
import { FlagCommandsController } from './flag-commands.controller.ts';
import type { WriteFlag } from './write-flag.http.ts';

const definition = flagDefinition.parse({
  type: 'boolean',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  offVariant: 'off',
  exposure: { variant: 'on', percentage: 0 },
});
const flag = { definition, salt: 's' };
const killed = { ...flag, disabled: { by: 'ada', reason: 'down', at: 2 } };
const change = (
  version: number,
  type: PastChange['type'],
  { before, after }: Pick<PastChange, 'before' | 'after'>,
): PastChange => ({
  epoch: 1,
  version,
  at: version,
  type,
  by: 'ada',
  correlationId: 'c',
  before,
  after,
});
const made = change(1, 'FlagCreated', { before: null, after: flag });
const off = change(2, 'FlagDisabled', { before: flag, after: killed });
const gone = change(3, 'FlagDeleted', { before: killed, after: null });

/** Restores version 1 of a flag that version `deletedAt` deleted, with what the history knows of it; newest first. */
async function restored(history: readonly PastChange[], deletedAt = 3) {
  const written: unknown[] = [];
  const write = async (_definition: unknown, data: unknown) => {
    written.push(data);
    return data;
  };
  const controller = new FlagCommandsController(
    {} as ServiceContext,
    {
      find: async () => reject('FLAG_UNKNOWN', 'There is none.'),
      deletedAt: async () => deletedAt,
      list: async () => [],
    },
    {
      project: async () => undefined,
      read: async () => history.slice(0, 1),
      find: async (_environment, _key, version) => history.find((each) => each.version === version),
    },
    {} as CopyFlag,
    write as WriteFlag,
  );
  const body = { version: 1, reason: 'back' };
  await controller.restore('production', 'f', body, {} as Exchange);
  return written as PutFlag['data'][];
}

it('makes a deleted flag again as it was: off if it was off', async () => {
  expect(await restored([gone, off, made])).toMatchObject([{ disabled: killed.disabled }]);
  const served = change(2, 'FlagDeleted', { before: flag, after: null });
  expect(await restored([served, made], 2)).toMatchObject([{ disabled: undefined }]);
});

it.each([
  ['the kill', [made]],
  ['the deletion', [off, made]],
  ['a later deletion', [change(2, 'FlagDeleted', { before: flag, after: null }), made]],
])('makes nothing while the history does not know of %s', async (_what, history) => {
  await expect(restored(history)).rejects.toMatchObject({
    code: 'FLAG_HISTORY_BEHIND',
    retryable: true,
  });
});
