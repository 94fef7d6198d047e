import {
  DisableFlag,
  flagDefinition,
  type Message,
  type OutgoingMessage,
  PutEnvironment,
  PutFlag,
  type ScheduledChange,
  ScheduleFlag,
} from '@tidegate/contracts';
import { AppError } from '@tidegate/kernel';
import { manualClock, sequentialIds } from '@tidegate/kernel/testing';
import { newMessage } from '@tidegate/platform';
import { createExecute, createOutbox, noFaults } from '@tidegate/store';
import { MemoryDisk, memoryStore } from '@tidegate/store/testing';
import { expect, it } from '@jest/globals';
import { createEnvironments, environmentCollection } from '../environment/environments.handler.ts';
import { NOTHING } from '../reference/known.ts';
import { createChangeFlag } from './change-flag.handler.ts';
import { flagCollection } from './flags.ts';
import { createSchedules } from './run-schedules.handler.ts';
import { viewOf } from './stored-flag.ts';

const HOUR = 3_600_000;
const ref = { environment: 'production', key: 'checkout-v2' };
const definition = flagDefinition.parse({
  type: 'boolean',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  offVariant: 'off',
  exposure: { variant: 'on', percentage: 0 },
});

/** Replicas of the service on one disk, with a flag that is enabled. */
async function house() {
  const clock = manualClock(1_790_000_000_000);
  const ids = sequentialIds();
  const disk = new MemoryDisk();
  const published: Message[] = [];
  const link = { isCut: false };
  const publish = async (messages: readonly OutgoingMessage[]): Promise<void> => {
    if (link.isCut) throw new AppError('BUS_UNREACHABLE', 'cut', { retryable: true });
    published.push(...messages);
  };
  const log = { error: () => undefined } as never;
  const context = { name: 'flag-service', clock, ids, log, traceparent: () => undefined };
  const replica = () => {
    const store = memoryStore({ clock, disk });
    const outbox = createOutbox({ publish, faults: noFaults });
    const execute = createExecute({ outbox, ids, clock, source: 'flag-service', faults: noFaults });
    const flags = store.documents(flagCollection);
    const environments = createEnvironments(execute, store.documents(environmentCollection));
    const changeFlag = createChangeFlag({
      execute,
      flags,
      environments,
      known: async () => NOTHING,
      saved: () => undefined,
    });
    const { round } = createSchedules({ context, flags, changeFlag });
    return { environments, flags, changeFlag, round };
  };
  const one = replica();
  await one.environments.put(newMessage(context, PutEnvironment, { environment: 'production' }));
  await one.changeFlag(newMessage(context, PutFlag, { ...ref, definition, salt: 's' }));
  const changes = () =>
    published
      .filter(({ type }) => type.startsWith('Flag'))
      .filter(({ type }) => type !== 'FlagCommandAnswered' && type !== 'FlagState');
  return {
    clock,
    context,
    link,
    one,
    replica,
    changes,
    types: () => changes().map(({ type }) => type),
    flag: async () => viewOf((await one.flags.load('production/checkout-v2'))?.state as never),
    plan: (...entries: [inMs: number, change: ScheduledChange['change']][]) =>
      one.changeFlag(
        newMessage(context, ScheduleFlag, {
          ...ref,
          schedule: entries.map(([inMs, change]) => ({
            at: clock.now() + inMs,
            change,
            reason: 'planned',
          })),
        }),
      ),
  };
}

it('changes the flag at its time, in the name of who scheduled it', async () => {
  const { clock, one, plan, types, changes, flag } = await house();
  await plan([HOUR, 'disable'], [2 * HOUR, 'enable']);
  await one.round();
  expect(types()).toEqual(['FlagCreated', 'FlagScheduled']);
  clock.advance(HOUR);
  await one.round();
  expect(changes().at(-1)).toMatchObject({
    type: 'FlagDisabled',
    metadata: { actor: 'schedule:flag-service', revision: { version: 3 } },
  });
  expect(await flag()).toMatchObject({
    disabled: { reason: 'planned', by: 'schedule:flag-service' },
    schedule: [{ change: 'enable' }],
  });
  clock.advance(HOUR);
  await one.round();
  await one.round();
  expect(types().slice(2)).toEqual(['FlagDisabled', 'FlagEnabled']);
  expect(await flag()).not.toHaveProperty('schedule');
});

it('makes one change, however many replicas look at the same time', async () => {
  const { clock, plan, replica, types } = await house();
  await plan([HOUR, 'disable']);
  clock.advance(HOUR);
  await Promise.all([replica(), replica(), replica()].map(({ round }) => round()));
  expect(types()).toEqual(['FlagCreated', 'FlagScheduled', 'FlagDisabled']);
});

it('catches up in one change with the last of what was missed', async () => {
  const { clock, one, plan, types, flag } = await house();
  await plan([HOUR, 'disable'], [2 * HOUR, 'enable'], [3 * HOUR, 'disable'], [90 * HOUR, 'enable']);
  clock.advance(48 * HOUR);
  await one.round();
  expect(types().slice(2)).toEqual(['FlagDisabled']);
  expect((await flag())?.schedule).toHaveLength(1);
});

it('does nothing twice when the clock is set back, and nothing early', async () => {
  const { clock, one, plan, types } = await house();
  await plan([HOUR, 'disable'], [2 * HOUR, 'enable']);
  clock.advance(HOUR);
  await one.round();
  clock.advance(-HOUR);
  await one.round();
  clock.advance(HOUR);
  await one.round();
  expect(types().slice(2)).toEqual(['FlagDisabled']);
});

it('never undoes a kill that came after it was scheduled', async () => {
  const { clock, context, one, plan, types, flag } = await house();
  await plan([HOUR, 'disable'], [2 * HOUR, 'enable']);
  clock.advance(HOUR);
  await one.round();
  await one.changeFlag(newMessage(context, DisableFlag, { ...ref, reason: 'checkout is down' }));
  clock.advance(5 * HOUR);
  await one.round();
  expect(types().slice(2)).toEqual(['FlagDisabled', 'FlagDisabled']);
  expect(await flag()).toMatchObject({ disabled: { reason: 'checkout is down' } });
});

it('works while the bus is away', async () => {
  const { clock, link, one, plan, flag } = await house();
  await plan([HOUR, 'disable']);
  link.isCut = true;
  clock.advance(HOUR);
  await one.round();
  expect(await flag()).toMatchObject({ disabled: { reason: 'planned' } });
});
