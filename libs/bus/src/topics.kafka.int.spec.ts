import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  jest,
} from '@jest/globals';
import { DisableFlag, encode } from '@tidegate/contracts';
import kafkajs from 'kafkajs';
import { execFileSync } from 'node:child_process';
import { openServerIfAny, programIfAny } from '../../../test/servers/servers.ts';
import type { Bus, Delivery } from './bus.port.ts';
import {
  event,
  EVENTS,
  join,
  KafkaUnderTest,
  numberOf,
  QUICK_BROKER,
  range,
  reportsOf,
  until,
} from './group-under-test.kafka.ts';

jest.setTimeout(60_000);
const server = await openServerIfAny('kafka', { own: true, properties: QUICK_BROKER });

let under: KafkaUnderTest;
beforeEach(() => {
  under = new KafkaUnderTest(server?.url ?? '', { now: Date.now, random: Math.random });
});
afterEach(() => under.close());

(server ? describe : describe.skip)('topics on Kafka', () => {
  const kafka = new kafkajs.Kafka({
    brokers: [server?.url ?? ''],
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const admin = kafka.admin();
  beforeAll(() => admin.connect());
  afterAll(async () => {
    await admin.disconnect();
    await server?.stop();
  });

  it('tells what retention took away unhandled, and goes on behind it', async () => {
    const bus = await under.openBus();
    const reports = reportsOf(bus);
    const first = await join(bus);
    await bus.publish(range(0, 5).map((n) => event(n, 'a')));
    await until(() => first.deliveries.length === 5);
    const { partition } = first.deliveries[0]?.origin ?? { partition: -1 };
    await first.running.stop();
    await bus.publish(range(5, 20).map((n) => event(n, 'a')));
    const partitions = [{ partition, offset: '12' }];
    await admin.fetchTopicOffsets(under.prefix + EVENTS);
    await admin.deleteTopicRecords({ topic: under.prefix + EVENTS, partitions });
    const second = await join(bus);
    await until(() => second.deliveries.length === 8);
    expect(second.numbers()).toEqual(range(12, 20));
    expect(reports).toMatchObject([
      { kind: 'lagging', group: 'g', message: expect.stringContaining('lost 7 records') },
    ]);
  });

  it('tells what retention took away from under a member that has not read it yet', async () => {
    const bus = await under.openBus();
    const reports = reportsOf(bus);
    const release = Promise.withResolvers<void>();
    const member = await join(bus, () => release.promise);
    await bus.publish(range(0, 3_000).map((n) => event(n, 'a')));
    await until(() => member.deliveries.length === 1);
    const { partition } = member.deliveries[0]?.origin ?? { partition: -1 };
    await until(async () => (await bus.lag()).some(({ records }) => records === 3_000));
    // It has fetched as much as it takes in hand, and waits.
    await bus.publish(range(3_000, 6_000).map((n) => event(n, 'a')));
    const partitions = [{ partition, offset: '5900' }];
    await admin.fetchTopicOffsets(under.prefix + EVENTS);
    await admin.deleteTopicRecords({ topic: under.prefix + EVENTS, partitions });
    release.resolve();
    await until(() => member.numbers().includes(5_999));
    const heard = member.numbers();
    const lost = range(0, 6_000).filter((n) => !heard.includes(n));
    expect(lost.length).toBeGreaterThan(0);
    await until(() => reports.length > 0);
    expect(reports).toMatchObject([
      {
        kind: 'lagging',
        group: 'g',
        message: expect.stringContaining(`lost ${lost.length} records of partition ${partition}`),
      },
    ]);
  });

  it.each([
    ['while it reads', true],
    ['while it is away', false],
  ])('begins a new incarnation of a topic that was made anew %s', async (_when, isReading) => {
    const bus = await under.openBus();
    const reports = reportsOf(bus);
    const first = await join(bus);
    await bus.publish(range(0, 30).map((n) => event(n)));
    await until(() => first.deliveries.length === 30);
    if (!isReading) await first.running.stop();
    await admin.deleteTopics({ topics: [under.prefix + EVENTS] });
    const second = isReading ? first : await join(await under.openBus({}, 5_000));
    await until(
      () =>
        bus.publish(range(100, 130).map((n) => event(n))).then(
          () => true,
          () => false,
        ),
      30_000,
    );
    await until(() => range(100, 130).every((n) => second.numbers().includes(n)));
    const isNew = (delivery: Delivery) => numberOf(delivery) >= 100;
    const before = Math.max(
      ...first.deliveries.filter((d) => !isNew(d)).map((d) => d.origin.incarnation),
    );
    for (const { origin } of second.deliveries.filter(isNew))
      expect(origin.incarnation).toBeGreaterThan(before);
    if (isReading)
      expect(reports).toContainEqual(
        expect.objectContaining({ kind: 'lagging', message: expect.stringContaining('made anew') }),
      );
  });

  const kcat = programIfAny('kcat', 'on Debian, apt-get install kcat');
  /** As a program of somebody else's does it. */
  const produce = (topic: string, key: string, headers: object, value: string): void => {
    const target = ['-P', '-b', String(server?.url), '-t', under.prefix + topic, '-k', key];
    const given = Object.entries(headers).flatMap(([name, text]) => ['-H', `${name}=${text}`]);
    execFileSync(String(kcat), [...target, '-z', 'zstd', ...given], { input: value });
  };

  (kcat === undefined ? describe.skip : describe)('a foreign program', () => {
    const data = { environment: 'production', key: 'checkout', reason: 'it is broken' };
    const key = DisableFlag.key(data);
    const { headers } = encode({ ...event(0), type: DisableFlag.type, key, data });
    const listen = async (bus: Bus): Promise<readonly Delivery[]> => {
      const heard: Delivery[] = [];
      await bus.subscribe({
        group: 'flag-service.kills',
        topics: [DisableFlag.topic],
        types: new Set([DisableFlag.type]),
        handle: async (delivery) => heard.push(delivery),
      });
      return heard;
    };

    it('gives commands', async () => {
      const heard = await listen(await under.openBus());
      produce(DisableFlag.topic, key, headers, JSON.stringify(data));
      await until(() => heard.length === 1);
      expect(heard[0]?.message).toMatchObject({ type: DisableFlag.type, key, data });
    });

    it.each([
      ['no headers', {}, JSON.stringify(data)],
      ['no id', { ...headers, ce_id: '' }, JSON.stringify(data)],
      ['no environment', headers, '{"key":"checkout","reason":"x"}'],
      ['half a text', headers, '{"environment":'],
    ])(
      'that sends %s finds it in the dead letters, and holds up nobody',
      async (_what, h, value) => {
        const bus = await under.openBus();
        const heard = await listen(bus);
        produce(DisableFlag.topic, key, h, value);
        produce(DisableFlag.topic, key, headers, JSON.stringify(data));
        await until(() => heard.length === 1);
        const [letter, ...others] = await bus.deadLetters.list({ limit: 10 });
        expect(others).toEqual([]);
        expect(letter).toMatchObject({ group: 'flag-service.kills', origin: { offset: 0n } });
        expect(new TextDecoder().decode(letter?.record.value ?? undefined)).toBe(value);
      },
    );
  });

  it('makes topics as the catalogue has them', async () => {
    const bus = await under.openBus();
    const name = under.prefix + EVENTS;
    await join(bus);
    const { topics } = await admin.fetchTopicMetadata({ topics: [name] });
    expect(topics[0]?.partitions).toHaveLength(6);
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name }],
    });
    const settings = Object.fromEntries(
      resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]) ??
        [],
    );
    expect(settings).toMatchObject({
      'cleanup.policy': 'delete',
      'retention.ms': String(30 * 86_400_000),
      'min.insync.replicas': '1',
      'message.timestamp.type': 'LogAppendTime',
    });
  });

  it('leaves existing ones as they are, and says once how they differ', async () => {
    const topic = under.prefix + EVENTS;
    const configEntries = [
      { name: 'retention.ms', value: '60000' },
      { name: 'cleanup.policy', value: 'delete' },
    ];
    await admin.createTopics({ topics: [{ topic, numPartitions: 2, configEntries }] });
    const bus = await under.openBus();
    const reports = reportsOf(bus);
    const member = await join(bus);
    await bus.publish([event(1), event(2)]);
    await until(() => member.deliveries.length === 2);
    const differing = reports.filter(({ kind }) => kind === 'topic-differs');
    expect(differing).toEqual([
      {
        kind: 'topic-differs',
        topic: EVENTS,
        message: expect.stringMatching(
          /^partitions is 2, not 6; retention.ms is 60000, not 2592000000; /,
        ),
      },
    ]);
  });
});
