import type { Bus } from '@tidegate/bus';
import { type MemoryBus, memoryBus } from '@tidegate/bus/testing';
import type { FlagSnapshot } from '@tidegate/contracts';
import { AppError } from '@tidegate/kernel';
import { eventually } from '@tidegate/kernel/testing';
import { randomIds, systemClock } from '@tidegate/platform';
import { startTestService, type TestService } from '@tidegate/platform/testing';
import { createExecute, createOutbox, noFaults } from '@tidegate/store';
import { MemoryDisk, memoryStore } from '@tidegate/store/testing';
import { describe, expect, it } from '@jest/globals';
import { createEnvironments, environmentCollection } from '../environment/environments.handler.ts';
import { createChangeFlag } from '../flag/change-flag.handler.ts';
import { flagCollection } from '../flag/flags.ts';
import { flagService } from '../index.ts';
import { NOTHING } from '../reference/known.ts';
import { createReferences } from '../reference/references.handler.ts';
import { createChangeSegment } from '../segment/change-segment.handler.ts';
import { segmentCollection } from '../segment/segments.ts';
import { Recovery } from './recovery.handler.ts';

const FLAGS = '/v1/environments/production/flags';
const flag = (percentage: number) => ({
  type: 'boolean',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  offVariant: 'off',
  exposure: { variant: 'on', percentage },
});

/** The same bus, with some of what it does replaced. */
const altered = (bus: MemoryBus, other: Partial<Bus>): MemoryBus =>
  new Proxy(bus, {
    get(target, name) {
      const own: unknown = Reflect.get(other, name) ?? Reflect.get(target, name, target);
      return typeof own === 'function' && !(name in other) ? own.bind(target) : own;
    },
  });

/** A store on one disk, which can be put back, and a bus, which stays. */
function world() {
  const bus = memoryBus({ clock: systemClock, ids: randomIds });
  const disk = new MemoryDisk();
  return {
    bus,
    start: (other: Partial<Bus> = {}) =>
      startTestService(flagService, {
        bus: altered(bus, other),
        store: memoryStore({ clock: systemClock, disk }),
      }),
    /** Of another replica, which has read the topics, and then takes its time. */
    slowRecovery: (released: Promise<void>) => {
      const store = memoryStore({ clock: systemClock, disk });
      const outbox = createOutbox({ publish: bus.publish, faults: noFaults });
      const ambient = { ids: randomIds, clock: systemClock, source: 'flag-service' };
      const execute = createExecute({ ...ambient, outbox, faults: noFaults });
      const flags = store.documents(flagCollection);
      const environments = createEnvironments(execute, store.documents(environmentCollection));
      const segments = store.documents(segmentCollection);
      const references = createReferences(flags, segments);
      const saved = () => undefined;
      const parts = { execute, flags, segments, environments, references, saved };
      const changeFlag = createChangeFlag({ ...parts, known: async () => NOTHING });
      const changeSegment = createChangeSegment(parts);
      const slow = altered(bus, {
        view: async ({ topic, apply }) => {
          const view = await bus.view({ topic, apply });
          await view.caughtUp;
          await view.close(); // what comes later it does not see
          return { caughtUp: released, isReading: true, close: async () => undefined };
        },
      });
      const log = { warn: () => undefined };
      const context = { name: 'flag-service', bus: slow, clock: systemClock, log, store };
      return new Recovery({ context, ...parts, changeFlag, changeSegment });
    },
    backUp: () => structuredClone({ documents: disk.documents, entries: disk.entries }),
    putBack: (backup: object, epoch: number) =>
      void Object.assign(disk, structuredClone(backup), { epoch }),
  };
}

async function begun(open: ReturnType<typeof world>): Promise<TestService> {
  const service = await open.start();
  await service.put('/v1/environments/production');
  for (const key of ['pay', 'old', 'calm']) await service.put(`${FLAGS}/${key}`, flag(100));
  return service;
}

const snapshotOf = async (service: TestService, environment = 'production') => {
  const path = `/v1/environments/${environment}/snapshot`;
  const { body } = await service.get<FlagSnapshot>(path);
  return Object.fromEntries(
    body.flags.map(({ key, epoch, flag: state }) => [
      key,
      state && `${epoch}: ${state.definition.exposure.percentage}${state.disabled ? ' off' : ''}`,
    ]),
  );
};
const kill = (service: TestService) => service.post(`${FLAGS}/pay/disable`, { reason: 'twice' });
const recovered = (service: TestService) =>
  service.published('flag.events').filter(({ type }) => type === 'FlagRecovered');

describe('flags after an older backup was put back', () => {
  it('are what the state topics say, in environments that the backup lacks as well', async () => {
    const open = world();
    const first = await begun(open);
    const backup = open.backUp();
    await kill(first);
    await first.delete(`${FLAGS}/old?reason=done`);
    await first.put(`${FLAGS}/fresh`, flag(30));
    await first.put('/v1/environments/staging');
    await first.put('/v1/environments/staging/flags/pilot', flag(20));
    await first.stop();
    open.putBack(backup, 2);
    const second = await open.start();
    const expected = { pay: '2: 100000 off', old: null, calm: '2: 100000', fresh: '2: 30000' };
    expect(await snapshotOf(second)).toEqual(expected);
    expect(await snapshotOf(second, 'staging')).toEqual({ pilot: '2: 20000' });
    const keys = recovered(second).map(({ key }) => key);
    expect(keys.toSorted()).toEqual([
      'production/fresh',
      'production/old',
      'production/pay',
      'staging/pilot',
    ]);
    expect(recovered(second)[keys.indexOf('production/pay')]).toMatchObject({
      metadata: { actor: 'flag-service', revision: { epoch: 2, version: 2 } },
      data: { before: { salt: expect.any(String) }, from: { epoch: 1, version: 2 } },
    });
    await second.stop();
    const third = await open.start();
    expect(await snapshotOf(third)).toEqual(expected);
    expect(recovered(third)).toHaveLength(4);
  });

  it('find the segments again that they refer to, at their newest state', async () => {
    const open = world();
    const first = await begun(open);
    const segments = '/v1/environments/production/segments';
    await first.put(`${segments}/beta`, { members: ['ada'] });
    await first.put(`${segments}/gone`, { members: ['ada'] });
    const backup = open.backUp();
    await first.put(`${segments}/beta`, { members: ['ada', 'bob'] });
    await first.delete(`${segments}/gone?reason=done`);
    await first.put(`${segments}/late`, { when: { segment: 'beta' } });
    await first.put(`${FLAGS}/pay`, {
      ...flag(100),
      rules: [{ when: { segment: 'late' }, variant: 'off' }],
    });
    await first.stop();
    open.putBack(backup, 2);
    const second = await open.start();
    expect((await second.get(`${segments}/beta`)).body).toMatchObject({
      epoch: 2,
      segment: { definition: { members: ['ada', 'bob'] } },
    });
    expect((await second.get(`${segments}/gone`)).status).toBe(404);
    expect((await second.get(`${segments}/late`)).body).toMatchObject({
      usedBy: { flags: ['pay'], segments: [] },
    });
    await second.idle();
    const { body: history } = await second.get(`${segments}/beta/history`);
    expect(history['items']).toMatchObject([
      { type: 'SegmentRecovered', by: 'flag-service', changes: [{ after: 'bob' }] },
      { type: 'SegmentCreated' },
    ]);
  });

  it('are served by nobody while the bus, which has the newer ones, is away', async () => {
    const open = world();
    const first = await begun(open);
    const backup = open.backUp();
    await kill(first);
    await first.stop();
    open.putBack(backup, 2);
    let isAway = true;
    const topics = async (): Promise<readonly string[]> => {
      if (isAway) throw new AppError('BUS_UNREACHABLE', 'Nobody answers.', { retryable: true });
      return open.bus.topics();
    };
    const second = await open.start({ topics });
    expect((await second.get('/v1/environments/production/snapshot')).status).toBe(503);
    expect((await second.get(`${FLAGS}/pay`)).status).toBe(503);
    const ready = await second.anonymous().get('/health/ready');
    expect(ready.status).toBe(503);
    expect(JSON.stringify(ready.body)).toContain('before they are taken over. Nobody answers.');
    isAway = false;
    await eventually(
      async () => (await second.anonymous().get('/health/ready')).status === 200,
      10_000,
    );
    expect(await snapshotOf(second)).toMatchObject({ pay: '2: 100000 off' });
    await second.stop();
    isAway = true; // from now on the store is all that is needed
    const third = await open.start({ topics });
    expect(await snapshotOf(third)).toMatchObject({ pay: '2: 100000 off' });
  });

  it('stay as people change them, when another replica recovers them once more', async () => {
    const open = world();
    const first = await begun(open);
    const backup = open.backUp();
    await kill(first);
    await first.stop();
    open.putBack(backup, 2);
    const held = Promise.withResolvers<void>();
    const slow = open.slowRecovery(held.promise);
    const attempt = slow.attempt();
    const quick = await open.start();
    expect((await quick.post(`${FLAGS}/pay/enable`, { reason: 'repaired' })).status).toBe(200);
    held.resolve();
    expect(await attempt).toBe(true);
    expect((await quick.get(`${FLAGS}/pay`)).body['flag']).not.toHaveProperty('disabled');
    expect(recovered(quick)).toHaveLength(1);
  });

  it('are not mistaken when the epoch was raised before, for another backup', async () => {
    const open = world();
    const first = await begun(open);
    const backup = open.backUp();
    await first.stop();
    open.putBack(backup, 2);
    const second = await open.start();
    await kill(second);
    await second.stop();
    open.putBack(backup, 2);
    await expect(open.start()).rejects.toMatchObject({
      code: 'FLAG_STORE_BEHIND',
      message: expect.stringContaining('run "tidegate store restored" once more'),
    });
    open.putBack(backup, 3);
    expect(await snapshotOf(await open.start())).toMatchObject({ pay: '3: 100000 off' });
  });

  it('come back whole also when the store was lost and begun anew', async () => {
    const open = world();
    const first = await begun(open);
    await kill(first);
    await first.stop();
    open.putBack({ documents: new Map(), entries: new Map() }, 2);
    expect(await snapshotOf(await open.start())).toEqual({
      pay: '2: 100000 off',
      old: '2: 100000',
      calm: '2: 100000',
    });
  });
});
