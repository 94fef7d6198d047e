import { randomUUID } from 'node:crypto';
import { memoryBus } from '@tidegate/bus/testing';
import { HoldFlag, ScheduleFlag } from '@tidegate/contracts';
import { AppError } from '@tidegate/kernel';
import { newMessage, randomIds, systemClock } from '@tidegate/platform';
import { startTestService, type TestService } from '@tidegate/platform/testing';
import type { Store } from '@tidegate/store';
import { memoryStore } from '@tidegate/store/testing';
import { describe, expect, it } from '@jest/globals';
import { flagService } from '../index.ts';

const flags = '/v1/environments/test/flags';
const body = {
  type: 'boolean',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  offVariant: 'off',
  exposure: { variant: 'on', percentage: 100 },
};
const why = { reason: 'checkout is down' };

async function started(options: Parameters<typeof startTestService>[1] = {}) {
  const service = await startTestService(flagService, options);
  await service.put('/v1/environments/test');
  return service;
}
async function newFlag(service: TestService, more: object = {}): Promise<string> {
  const key = `flag-${randomUUID()}`;
  expect((await service.put(`${flags}/${key}`, { ...body, ...more })).status).toBe(200);
  return key;
}
const servedBy = async (service: TestService, key: string) =>
  (
    await service.post(`/environments/test/ofrep/v1/evaluate/flags/${key}`, {
      context: { targetingKey: 'ada' },
    })
  ).body['value'];

/** Whatever asks for the bus waits for it in vain. */
const refuse = async (): Promise<never> => {
  throw new AppError('BUS_UNREACHABLE', 'cut', { retryable: true });
};

describe('a flag is turned off by an operator with a reason alone', () => {
  it('while a rollout holds it, others rely on it, and changes of it are scheduled', async () => {
    const service = await started();
    const key = await newFlag(service);
    const { bus } = service.context;
    const send = async (command: Parameters<typeof bus.publish>[0][number]) => {
      await bus.publish([command]);
      await service.idle();
    };
    const ref = { environment: 'test', key };
    const rollout = { id: 'r-1', generation: 1 };
    await send(newMessage(service.context, HoldFlag, { ...ref, rollout }));
    const schedule = [{ at: systemClock.now() + 60_000, change: 'enable' as const, reason: 'go' }];
    await send(newMessage(service.context, ScheduleFlag, { ...ref, schedule }));
    const off = await service.as('operator', 'test').post(`${flags}/${key}/disable`, why);
    expect(off.body).toMatchObject({
      changed: true,
      flag: { disabled: why, hold: { rollout } },
    });
    expect(off.body['flag']).not.toHaveProperty('schedule');
    expect(await servedBy(service, key)).toBe(false);
  });

  it('whatever version was expected, and however old the ETag', async () => {
    const service = await started();
    const key = await newFlag(service);
    const late = { 'if-match': '"1.77"' };
    expect((await service.post(`${flags}/${key}/disable`, why, late)).status).toBe(200);
  });

  it('while the store is slow: other writes that wait do not stand before it', async () => {
    const slow = memoryStore({ clock: systemClock });
    const gate = Promise.withResolvers<void>();
    const store: Store = {
      ...slow,
      documents: (collection) => {
        const documents = slow.documents(collection);
        return Object.assign(Object.create(documents) as typeof documents, {
          name: documents.name,
          epoch: documents.epoch,
          load: async (id: string) => {
            if (id === 'test/slow') await gate.promise;
            return documents.load(id);
          },
          save: documents.save.bind(documents),
          clear: documents.clear.bind(documents),
          owing: documents.owing.bind(documents),
          list: documents.list.bind(documents),
          claimDue: documents.claimDue.bind(documents),
        });
      },
    };
    const service = await started({ store });
    const key = await newFlag(service);
    const waiting = service.put(`${flags}/slow`, body);
    expect((await service.post(`${flags}/${key}/disable`, why)).body['changed']).toBe(true);
    gate.resolve();
    expect((await waiting).status).toBe(200);
  });
});

describe('many flags at once', () => {
  it('are turned off by key, with an answer for each', async () => {
    const service = await started();
    const [a, b] = [await newFlag(service), await newFlag(service)];
    await service.post(`${flags}/${b}/disable`, why);
    const off = await service.as('operator', 'test').post(`${flags}/disable`, {
      keys: [a, 'Mistyped key!', b, a, 'no-such'],
      ...why,
    });
    expect(off.status).toBe(200);
    expect(off.body).toMatchObject({
      items: [
        { key: a, outcome: 'changed', version: 2, published: true },
        { key: 'Mistyped key!', outcome: 'refused', code: 'FLAG_UNKNOWN' },
        { key: b, outcome: 'unchanged', version: 2 },
        { key: 'no-such', outcome: 'refused', code: 'FLAG_UNKNOWN' },
      ],
    });
    expect(await servedBy(service, a)).toBe(false);
  });

  it('are turned off by tag, also while the bus is away and the key has asked too often', async () => {
    const bus = memoryBus({ clock: systemClock, ids: randomIds });
    const service = await started({ bus, env: { RATE_LIMIT_PER_MINUTE: '4' } });
    const keys = [
      await newFlag(service, { tags: ['payments'] }),
      await newFlag(service, { tags: ['payments'] }),
      await newFlag(service),
    ];
    Object.assign(bus.log, { append: refuse });
    const off = await service.post(`${flags}/disable`, { tag: 'payments', ...why });
    expect(off.body).toMatchObject({
      items: keys
        .slice(0, 2)
        .sort()
        .map((key) => ({ key, outcome: 'changed', published: false })),
    });
    const { body: snapshot } = await service.as('sdk', 'test').get<{
      flags: { key: string; flag: { disabled?: object } }[];
    }>('/v1/environments/test/snapshot');
    const disabled = snapshot.flags.filter(({ flag }) => flag.disabled).map(({ key }) => key);
    expect(disabled.sort()).toEqual(keys.slice(0, 2).sort());
    Reflect.deleteProperty(bus.log, 'append');
  });

  it('say so when no flag has the tag, and when it is not said which', async () => {
    const service = await started();
    const none = await service.post(`${flags}/disable`, { tag: 'paymnets', ...why });
    expect([none.status, none.body['code']]).toEqual([404, 'TAG_UNKNOWN']);
    expect((await service.post(`${flags}/disable`, why)).status).toBe(400);
    expect((await service.post(`${flags}/disable`, { keys: ['a'] })).text).toContain('#/reason');
    const viewer = service.as('viewer', 'test');
    expect((await viewer.post(`${flags}/disable`, { keys: ['a'], ...why })).status).toBe(403);
  });
});

describe('a schedule', () => {
  it('is written in dates, shown with the flag, and changes it when its time has come', async () => {
    const service = await started();
    const key = await newFlag(service);
    const path = `${flags}/${key}/schedule`;
    const at = systemClock.now() + 3_600_000;
    const entry = { change: 'disable', reason: 'the campaign ends' };
    const put = await service
      .as('operator', 'test')
      .put(path, [{ at: new Date(at).toISOString(), ...entry }]);
    expect(put.body).toMatchObject({ version: 2, changed: true });
    const { body: shown } = await service.get(`${flags}/${key}`);
    expect(shown['flag']).toMatchObject({ schedule: [{ at, ...entry, by: 'operator@test' }] });
    const past = await service.put(path, [{ at: at - 7_200_000, ...entry }]);
    expect([past.status, past.body['code']]).toEqual([422, 'SCHEDULE_IN_PAST']);
    const wrong = await service.put(path, [{ at: 'tomorrow', ...entry }]);
    expect(wrong.body['errors']).toMatchObject([{ pointer: '#/0/at' }]);
    expect((await service.put(path, [], { 'if-match': '"1.1"' })).status).toBe(412);
    expect((await service.put(path, [])).body['flag']).not.toHaveProperty('schedule');
    expect((await service.as('viewer', 'test').put(path, [])).status).toBe(403);
  });
});
