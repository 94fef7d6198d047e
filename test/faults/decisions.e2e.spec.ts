import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { Kafka, logLevel } from 'kafkajs';
import { expectOk, isOver, makeFlags, rolloutUntil, type RolloutShown } from '../e2e/house.ts';
import { openTarget, type Target } from '../e2e/target.ts';
import { openProcessHouse, type ProcessHouse } from './process-house.ts';
import { hasServers } from './servers.ts';
import { begin } from './told.ts';

jest.setTimeout(240_000);

const plan = (name: string, scrape: string): string => `
plan: ${name}
flag: ${name}
checkEvery: 500ms
recovery: { within: 30s }
metrics:
  errors:
    type: ratio
    source: { scrape: ['${scrape}'] }
    bad: { metric: requests_total, where: { code: '500' } }
    total: { metric: requests_total }
  complaints: { type: signal, signal: complaint, where: { area: ${name} } }
guards:
  - { name: errors, judge: sequential, metric: errors, limit: 5%, detect: 20% }
  - { name: complaints, judge: immediate, metric: complaints, above: 1 }
steps:
  - { stage: canary, percentage: 10, hold: 1h }
`;

interface Recovering extends RolloutShown {
  readonly recovery?: { readonly status: string };
}

(hasServers ? describe : describe.skip)('decisions of separate processes on real servers', () => {
  let house: ProcessHouse;
  let target: Target;
  const opened = new AsyncDisposableStack();
  const counted = { ok: 0, failed: 0 };
  let failing = 0;
  beforeAll(async () => {
    target = opened.use(await openTarget());
    const timer = setInterval(() => {
      counted.ok += 100 - failing;
      counted.failed += failing;
      target.say(
        `requests_total{code="200"} ${counted.ok}\nrequests_total{code="500"} ${counted.failed}\n`,
      );
    }, 100);
    opened.defer(() => {
      clearInterval(timer);
    });
    house = opened.use(await openProcessHouse({}));
    await makeFlags(house, 'over-http', 'over-kafka', 'interrupted');
  });
  afterAll(() => opened.disposeAsync());

  async function open(name: string): Promise<string> {
    const id = await begin(house, name, plan(name, target.url));
    await rolloutUntil(house, id, ({ phase }) => phase === 'open', 60_000);
    return id;
  }
  const rolledBack = (id: string) => rolloutUntil(house, id, isOver, 60_000);

  it('signals over HTTP roll back, and what is repeated counts once', async () => {
    const id = await open('over-http');
    const body = { environment: 'production', signal: 'complaint', labels: { area: 'over-http' } };
    for (const key of ['a', 'a', 'b'])
      expectOk(
        await house.ask('POST', 'metrics-gatekeeper', '/v1/signals', {
          body,
          headers: { 'idempotency-key': key },
        }),
      );
    const { rollback } = await rolledBack(id);
    expect(rollback?.message).toBe('complaints: 2 reported, at most 1 allowed.');
  });

  it('signals over the topic roll back', async () => {
    const id = await open('over-kafka');
    const kafka = new Kafka({ brokers: [house.servers.kafka.url], logLevel: logLevel.NOTHING });
    const producer = kafka.producer();
    await producer.connect();
    const value = {
      environment: 'production',
      signal: 'complaint',
      labels: { area: 'over-kafka' },
      message: 'The cart is empty.',
    };
    for (const _ of [1, 2])
      await producer.send({
        topic: 'tidegate.signals',
        messages: [
          {
            key: 'production/complaint',
            value: JSON.stringify(value),
            headers: {
              ce_specversion: '1.0',
              ce_id: randomUUID(),
              ce_source: 'help-desk',
              ce_type: 'tidegate.signal.reported.v1',
              ce_time: new Date().toISOString(),
              'content-type': 'application/json',
            },
          },
        ],
      });
    await producer.disconnect();
    const { rollback } = await rolledBack(id);
    expect(rollback?.message).toBe('complaints: 2 reported, at most 1 allowed.');
  });

  it('a recovery and what guards have done survive that every gatekeeper is killed', async () => {
    const id = await open('interrupted');
    failing = 40;
    await rolledBack(id);
    const killed = house.replicasOf('metrics-gatekeeper');
    await Promise.all(killed.map((each) => each.kill()));
    failing = 0;
    await Promise.all(killed.map((each) => each.start()));
    const { recovery } = (await rolloutUntil(
      house,
      id,
      (each) => ((each as Recovering).recovery?.status ?? 'awaited') !== 'awaited',
      90_000,
    )) as Recovering;
    expect(recovery).toMatchObject({ status: 'recovered' });
    await eventually(async () => {
      const { output } = await house.tidegate('--json', 'gate', 'list', '--plan', 'interrupted');
      const { items } = JSON.parse(output) as { items: { guard: string; breached: number }[] };
      expect(items.find(({ guard }) => guard === 'errors')).toMatchObject({ breached: 1 });
      return true;
    }, 30_000);
    const { code, output } = await eventually(async () => {
      const explained = await house.tidegate('rollout', 'explain', id);
      if (!explained.output.includes('recovery judged')) throw new Error(explained.output);
      return explained;
    }, 30_000);
    expect({ code, output }).toMatchObject({ code: 0 });
  });
});
