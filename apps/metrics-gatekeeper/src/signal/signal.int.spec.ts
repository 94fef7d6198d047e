import { describe, expect, it } from '@jest/globals';
import { SignalReported } from '@tidegate/contracts';
import { exampleOf } from '@tidegate/contracts/testing';
import { eventually } from '@tidegate/kernel/testing';
import { systemClock } from '@tidegate/platform';
import { startTestService, type TestService } from '@tidegate/platform/testing';
import { MemoryDisk, memoryStore } from '@tidegate/store/testing';
import { metricsGatekeeper } from '../index.ts';

const signal = { environment: 'test', signal: 'data-loss', message: 'order 17 has no items' };

const start = (options: Parameters<typeof startTestService>[1] = {}): Promise<TestService> =>
  startTestService(metricsGatekeeper, options);
const of = (service: TestService, type: string): unknown[] =>
  service
    .published('signals')
    .filter((each) => each.type === type)
    .map(({ data }) => data);
const reported = (service: TestService) => of(service, 'SignalReported');
const counted = async (service: TestService): Promise<unknown[]> => {
  await service.idle();
  return of(service, 'SignalCounted');
};

describe('POST /v1/signals', () => {
  it('counts what is reported, by whom it may be', async () => {
    const service = await start();
    expect((await service.as('operator', 'test').post('/v1/signals', signal)).status).toBe(202);
    for (const other of [service.as('viewer'), service.as('operator', 'production')])
      expect((await other.post('/v1/signals', signal)).status).toBe(403);
    expect(reported(service)).toEqual([{ ...signal, count: 1, labels: {} }]);
    expect(await counted(service)).toMatchObject([{ signal: 'data-loss', count: 1, total: 1 }]);
  });

  it('counts a repeat once, and refuses labels that are no labels', async () => {
    const service = await start();
    const headers = { 'idempotency-key': 'order-17' };
    for (const _ of [1, 2])
      expect((await service.post('/v1/signals', signal, headers)).status).toBe(202);
    expect(await counted(service)).toHaveLength(1);
    const labels = { text: 'x'.repeat(1_000) };
    expect(await service.post('/v1/signals', { ...signal, labels })).toMatchObject({
      status: 409,
      body: { code: 'SIGNAL_LABELS_TOO_LARGE', detail: expect.stringContaining('labels:') },
    });
    expect(reported(service)).toHaveLength(2);
  });

  it('takes what is reported while the store is away, and counts it when it is back', async () => {
    const disk = new MemoryDisk();
    const service = await start({ store: memoryStore({ clock: systemClock, disk }) });
    await service.idle();
    disk.away = true;
    expect((await service.post('/v1/signals', signal)).status).toBe(202);
    disk.away = false;
    await eventually(() => of(service, 'SignalCounted').length === 1);
  });
});

describe('the topic', () => {
  it('is where other systems may report, too; what is not counted stands in the log', async () => {
    const service = await start();
    const { bus } = service.context;
    const publish = (data: object, id: string) =>
      bus.publish([
        { ...exampleOf(SignalReported, { ...signal, ...data }, { id }), topic: 'signals' },
      ]);
    await publish({ count: 5 }, 'm-1');
    await publish({ count: 5 }, 'm-1');
    await publish({ labels: { text: 'x'.repeat(1_000) } }, 'm-2');
    expect(await counted(service)).toMatchObject([{ count: 5, total: 5 }]);
    expect(service.log).toContainEqual(
      expect.objectContaining({ msg: 'a signal is not counted', code: 'SIGNAL_LABELS_TOO_LARGE' }),
    );
    const metrics = await (await fetch(`${service.url}/metrics`)).text();
    expect(metrics).toContain('tidegate_gatekeeper_signals_total{result="refused"} 1');
  });
});

describe('a webhook of another program', () => {
  const PATH = '/v1/signals/complaint?environment=test';

  it('is a signal: labels from its address, what happened from its body, a repeat by its id', async () => {
    const service = await start();
    const body = { id: 9, title: ' The cart is empty ', priority: 'high' };
    const headers = { 'webhook-id': 'msg-9' };
    for (const _ of [1, 2]) {
      const answer = await service.post(`${PATH}&area=cart&count=2`, body, headers);
      expect(answer.status).toBe(202);
    }
    expect(reported(service)[0]).toEqual({
      environment: 'test',
      signal: 'complaint',
      count: 2,
      labels: { area: 'cart' },
      message: 'The cart is empty',
    });
    expect(await counted(service)).toMatchObject([{ total: 2, labels: { area: 'cart' } }]);
  });

  it.each([
    ['an empty body', undefined],
    ['a list', [1, 2]],
    ['nothing that says what happened', { message: 7 }],
  ])('may have %s', async (_what, body) => {
    const service = await start();
    expect((await service.post(PATH, body)).status).toBe(202);
    expect(reported(service)).toEqual([
      { environment: 'test', signal: 'complaint', count: 1, labels: {} },
    ]);
  });

  it.each([
    ['/v1/signals/complaint', 'environment'],
    ['/v1/signals/Complaint!?environment=test', 'signal'],
    [`${PATH}&area=a&area=b`, 'area'],
    [`${PATH}&count=few`, 'count'],
  ])('%s is refused, naming %s', async (path, parameter) => {
    const service = await start();
    expect(await service.post(path, {})).toMatchObject({
      status: 400,
      body: { errors: [{ parameter }] },
    });
    expect((await service.as('operator', 'production').post(PATH, {})).status).toBe(403);
  });
});
