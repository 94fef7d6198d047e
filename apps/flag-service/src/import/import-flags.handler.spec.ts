import { DisableFlag, EnableFlag, PutEnvironment, PutFlag } from '@tidegate/contracts';
import { readFlagd } from '@tidegate/evaluation';
import { manualClock, sequentialIds } from '@tidegate/kernel/testing';
import { newMessage } from '@tidegate/platform';
import { createExecute, createOutbox, noFaults } from '@tidegate/store';
import { MemoryDisk, memoryStore } from '@tidegate/store/testing';
import { expect, it } from '@jest/globals';
import { createEnvironments, environmentCollection } from '../environment/environments.handler.ts';
import { type ChangeFlag, createChangeFlag } from '../flag/change-flag.handler.ts';
import { flagCollection } from '../flag/flags.ts';
import type { AnyFlagCommand } from '../flag/recover-flag.ts';
import { NOTHING } from '../reference/known.ts';
import { createImportFlags } from './import-flags.handler.ts';

const environment = 'production';
const banner = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' };
const off = { ...banner, state: 'DISABLED', defaultVariant: 'on' };
const known = async () => NOTHING;

/** The service's flags in memory. `between` comes after each command of an import. */
async function house(
  between: (command: AnyFlagCommand, others: ChangeFlag) => Promise<unknown> = async () => {},
) {
  const clock = manualClock(1_790_000_000_000);
  const ids = sequentialIds();
  const log = { error: () => undefined } as never;
  const context = { name: 'flag-service', clock, ids, log, traceparent: () => undefined };
  const store = memoryStore({ clock, disk: new MemoryDisk() });
  const outbox = createOutbox({ publish: async () => {}, faults: noFaults });
  const execute = createExecute({ outbox, ids, clock, source: 'flag-service', faults: noFaults });
  const flags = store.documents(flagCollection);
  const environments = createEnvironments(execute, store.documents(environmentCollection));
  await environments.put(newMessage(context, PutEnvironment, { environment }));
  const saved = () => undefined;
  const changeFlag = createChangeFlag({ execute, flags, environments, known, saved });
  const importFlags = createImportFlags({
    flags,
    known,
    changeFlag: async (command) => {
      const outcome = await changeFlag(command);
      await between(command, changeFlag);
      return outcome;
    },
  });
  return {
    context,
    imported: (written: object, dryRun = false) =>
      importFlags({
        environment,
        dryRun,
        off: { at: clock.now(), by: 'alex' },
        read: readFlagd({ flags: written }),
        put: (data) => newMessage(context, PutFlag, { ...data, salt: ids.next() }),
        disable: (data) => newMessage(context, DisableFlag, data),
      }),
  };
}

it('tells of a flag that was turned off and then could not be changed that it is off', async () => {
  const { context, imported } = await house(async ({ type, data }, others) => {
    // Others change the flag right after the kill: the import meets another version.
    if (type !== 'DisableFlag') return;
    const { key } = data;
    await others(newMessage(context, EnableFlag, { environment, key, reason: 'no' }));
    if (key === 'offAgain')
      await others(newMessage(context, DisableFlag, { environment, key, reason: 'yes' }));
  });
  await imported({ offAgain: banner, onAgain: banner });
  const [offAgain, onAgain] = await imported({ offAgain: off, onAgain: off });
  expect(offAgain).toMatchObject({ key: 'offAgain', result: 'refused', disabled: true });
  expect(onAgain).toMatchObject({ key: 'onAgain', result: 'refused' });
  expect(onAgain).not.toHaveProperty('disabled');
});

it('lets others have their turn after each flag', async () => {
  const { imported } = await house();
  const flags = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`flag-${i}`, banner]));
  let turns = 0;
  let isDone = false;
  const count = () => {
    turns += 1;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  expect(await imported(flags, true)).toHaveLength(50);
  isDone = true;
  expect(turns).toBeGreaterThanOrEqual(50);
});
