import { afterAll, afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  DisableFlag,
  encode,
  type FlagState,
  type OutgoingMessage,
  SecurityEventRecorded,
  stateTopic,
} from '@tidegate/contracts';
import kafkajs from 'kafkajs';
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { openServerIfAny, type Server } from '../../../test/servers/servers.ts';
import type { Bus, BusReport, Delivery } from './bus.port.ts';
import { openKafkaBus } from './bus.kafka.ts';
import type { KafkaBudgets } from './options.kafka.ts';

jest.setTimeout(60_000);
const server = await openServerIfAny('kafka', {
  own: true,
  properties: {
    'group.min.session.timeout.ms': '500',
    'offset.retention.check.interval.ms': '500',
  },
});

const QUICK: Partial<KafkaBudgets> = {
  session: 2_000,
  heartbeat: 400,
  rebalance: 5_000,
  fetch: 100,
  commitEvery: 100,
  publish: 3_000,
  ask: 2_000,
  request: 2_000,
  outage: 1_000,
};
const { topic: EVENTS, type: COUNTED } = SecurityEventRecorded;
const KEYS = 24;

const event = (n: number, key = `key-${n % KEYS}`): OutgoingMessage => ({
  topic: EVENTS,
  type: COUNTED,
  key,
  data: { service: key, event: 'counted', message: String(n), details: {} },
  metadata: { id: `m-${n}`, source: 'spec', at: 1_000, actor: 'spec', correlationId: 'c' },
});
const numberOf = ({ message }: Delivery): number =>
  Number((message.data as { message: string }).message);
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n);

async function until(isTrue: () => boolean | Promise<boolean>, ms = 20_000): Promise<void> {
  for (const deadline = Date.now() + ms; !(await isTrue());) {
    if (Date.now() > deadline) throw new Error(`It did not come true: ${String(isTrue)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

let prefix = '';
const closing: (() => unknown)[] = [];
beforeEach(() => {
  prefix = `g${randomUUID()}.`;
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function openBus(budgets: Partial<KafkaBudgets> = {}, aheadMs = 0): Promise<Bus> {
  const bus = await openKafkaBus({
    brokers: [(server as Server).url],
    clientId: 'spec',
    prefix,
    replication: 1,
    clock: { now: () => Date.now() + aheadMs },
    ids: { next: randomUUID },
    random: { next: Math.random },
    source: 'spec',
    budgets: { ...QUICK, ...budgets },
  });
  closing.push(() => bus.close());
  return bus;
}

async function join(bus: Bus, handle: (delivery: Delivery) => unknown = () => undefined) {
  const deliveries: Delivery[] = [];
  const running = await bus.subscribe({
    group: 'g',
    topics: [EVENTS],
    types: new Set([COUNTED]),
    handle: async (delivery) => {
      deliveries.push(delivery);
      await handle(delivery);
    },
  });
  const partitions = async () =>
    (await bus.lag()).filter(({ topic }) => topic === EVENTS).map(({ partition }) => partition);
  return { bus, running, deliveries, partitions, numbers: () => deliveries.map(numberOf) };
}
type Joined = Awaited<ReturnType<typeof join>>;

const allOf = (...members: { numbers(): number[] }[]) =>
  new Set(members.flatMap((member) => member.numbers()));
const share = async (...members: Pick<Joined, 'partitions'>[]) => {
  const parts = await Promise.all(members.map((member) => member.partitions()));
  return parts.every(({ length }) => length > 0) && parts.flat().length === 6;
};
const reportsOf = (bus: Bus): BusReport[] => {
  const reports: BusReport[] = [];
  bus.onReport((report) => reports.push(report));
  return reports;
};

/** Publishes one after another, each until it works, as an outbox does, until it is told to end. */
function load(bus: Bus, from = 0) {
  let next = from;
  const ending = new AbortController();
  const run = async () => {
    while (!ending.signal.aborted) {
      await bus.publish([event(next)]).then(
        () => (next += 1),
        (error: unknown) => expect(error).toMatchObject({ code: 'BUS_UNREACHABLE' }),
      );
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    return next;
  };
  const running = run();
  return {
    sent: () => next,
    end: () => {
      ending.abort();
      return running;
    },
  };
}

const PROGRAM = `
  import { openKafkaBus } from ${JSON.stringify(new URL('bus.kafka.ts', import.meta.url))};
  const { brokers, prefix, budgets, topic, type } = JSON.parse(process.argv[1]);
  let count = 0;
  const bus = await openKafkaBus({
    brokers, prefix, budgets, clientId: 'child', replication: 1, source: 'child',
    clock: { now: Date.now }, ids: { next: () => process.pid + '-' + ++count }, random: { next: Math.random },
  });
  await bus.subscribe({
    group: 'g', topics: [topic], types: new Set([type]),
    handle: async ({ message }) => console.log(message.data.message),
  });
  console.log('joined');
  setInterval(() => {}, 1_000);
`;

/** A member in a process of its own. */
async function child() {
  const options = { brokers: [server?.url], prefix, budgets: QUICK, topic: EVENTS, type: COUNTED };
  const started: ChildProcessWithoutNullStreams = spawn(
    process.execPath,
    [
      '--input-type=module',
      '--disable-warning=ExperimentalWarning',
      '-e',
      PROGRAM,
      JSON.stringify(options),
    ],
    { cwd: import.meta.dirname },
  );
  let errors = '';
  started.stderr.on('data', (data) => (errors += String(data)));
  closing.push(() => started.kill('SIGKILL'));
  const lines: string[] = [];
  createInterface(started.stdout).on('line', (line) => lines.push(line));
  await until(() => lines.includes('joined'));
  return {
    numbers: () => lines.filter((line) => line !== 'joined').map(Number),
    signal: (name: NodeJS.Signals) => started.kill(name),
    errors: () => errors,
  };
}

/** Each key's numbers, each the first time that anybody handled it. */
function expectOrder(deliveries: readonly Delivery[]): void {
  const last = new Map<string, number>();
  const seen = new Set<number>();
  for (const delivery of deliveries) {
    const n = numberOf(delivery);
    if (seen.has(n)) continue;
    seen.add(n);
    expect(n).toBeGreaterThan(last.get(delivery.message.key) ?? -1);
    last.set(delivery.message.key, n);
  }
}

(server ? describe : describe.skip)('a group on Kafka', () => {
  const kafka = new kafkajs.Kafka({
    brokers: [server?.url ?? ''],
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const admin = kafka.admin();
  afterAll(async () => {
    await admin.disconnect();
    await server?.stop();
  });

  it('shares partitions; whoever leaves is replaced, whoever comes under load gets a share', async () => {
    const [one, two] = [await join(await openBus()), await join(await openBus())];
    await until(() => share(one, two));
    const sending = load(await openBus());
    await until(() => one.deliveries.length > 50 && two.deliveries.length > 50);
    await two.running.stop();
    await until(async () => (await one.partitions()).length === 6);
    const three = await join(await openBus());
    await until(() => share(one, three));
    const soFar = sending.sent();
    await until(() => three.deliveries.length > 50 && sending.sent() > soFar + 100);
    const sent = await sending.end();
    await until(() => allOf(one, two, three).size === sent);
    const doubled = [one, two, three].flatMap((member) => member.numbers()).length - sent;
    expect(doubled).toBeLessThan(20);
    for (const { deliveries } of [one, two, three]) expectOrder(deliveries);
  });

  it('loses nothing of a member that is killed', async () => {
    const here = await join(await openBus());
    const there = await child();
    await until(async () => (await here.partitions()).length === 3);
    const sending = load(await openBus());
    await until(() => there.numbers().length > 50);
    there.signal('SIGKILL');
    await until(async () => (await here.partitions()).length === 6);
    const soFar = sending.sent();
    await until(() => sending.sent() > soFar + 50);
    const sent = await sending.end();
    await until(() => allOf(here, there).size === sent);
    expectOrder(here.deliveries);
    expect(there.errors()).toBe('');
  });

  it('has a member that was thought dead go on in its turn', async () => {
    const here = await join(await openBus());
    const there = await child();
    await until(async () => (await here.partitions()).length === 3);
    const sending = load(await openBus());
    await until(() => there.numbers().length > 50);
    there.signal('SIGSTOP');
    await until(async () => (await here.partitions()).length === 6);
    const before = there.numbers().length;
    there.signal('SIGCONT');
    await until(async () => (await here.partitions()).length === 3);
    await until(() => there.numbers().length > before + 50);
    const sent = await sending.end();
    await until(() => allOf(here, there).size === sent);
    expectOrder(here.deliveries);
    expect(there.errors()).toBe('');
  });

  it('leaves a handler its partition for longer than a session', async () => {
    const release = Promise.withResolvers<void>();
    const slow = await join(await openBus(), (delivery) =>
      numberOf(delivery) === 0 ? release.promise : undefined,
    );
    const { bus, deliveries } = slow;
    await bus.publish([event(0, 'a'), event(1, 'a')]);
    await until(() => deliveries.length === 1);
    const since = Date.now();
    const others = range(100, 130);
    await until(() => Date.now() - since > 2 * (QUICK.session ?? 0));
    await bus.publish(others.map((n) => event(n)));
    await until(() => others.filter((n) => slow.numbers().includes(n)).length > 15);
    expect(slow.numbers()).not.toContain(1);
    release.resolve();
    await until(() => deliveries.length === 32);
    expect(slow.numbers().filter((n) => n < 2)).toEqual([0, 1]);
  });

  it('lives through the death of the broker under load, and so do its views', async () => {
    const bus = await openBus();
    const topic = stateTopic('production');
    const applied: [string, number | undefined][] = [];
    const state = (key: string, version: number): OutgoingMessage => ({
      topic,
      type: 'FlagState' satisfies FlagState['type'],
      key,
      data: { environment: 'production', key, flag: null },
      metadata: { ...event(0).metadata, id: `${key}-${version}`, revision: { epoch: 1, version } },
    });
    await bus.publish([state('a', 1), state('a', 2)]);
    const view = await bus.view({
      topic,
      apply: (key, message) => applied.push([key, message?.metadata.revision?.version]),
    });
    await view.caughtUp;
    const member = await join(bus);
    const sending = load(bus);
    await until(() => member.deliveries.length > 100);
    await server?.kill();
    const failed = await bus.check().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failed).toMatchObject({ code: 'BUS_UNREACHABLE', retryable: true });
    await server?.restart();
    const soFar = member.deliveries.length;
    await until(() => member.deliveries.length > soFar + 100, 40_000);
    const sent = await sending.end();
    await until(() => allOf(member).size === sent);
    expectOrder(member.deliveries);
    await bus.publish([state('a', 3)]);
    await until(() => applied.length >= 3);
    expect(applied).toEqual([
      ['a', 1],
      ['a', 2],
      ['a', 3],
    ]);
  });

  it('waits for a broker that is away, also one that was never there, and refuses in time', async () => {
    const early = await openBus();
    const member = await join(early);
    await early.publish([event(0)]);
    await until(() => member.deliveries.length === 1);
    await server?.kill();
    const reports = reportsOf(early);
    const since = Date.now();
    await expect(early.publish([event(1)])).rejects.toMatchObject({ code: 'BUS_UNREACHABLE' });
    expect(Date.now() - since).toBeLessThan(4_000);
    const late = await openBus({ join: 500 });
    const newcomer = await late.subscribe({
      group: 'late',
      topics: [EVENTS],
      types: new Set([COUNTED]),
      handle: async (delivery) => heard.add(numberOf(delivery)),
    });
    const heard = new Set<number>();
    await until(() => reports.length > 0);
    expect(reports[0]).toMatchObject({ kind: 'lagging', group: 'g', topic: EVENTS });
    await server?.restart();
    await until(
      () =>
        early.publish([event(2)]).then(
          () => true,
          () => false,
        ),
      30_000,
    );
    await until(() => member.numbers().includes(2) && heard.has(2) && heard.has(0), 30_000);
    await newcomer.stop();
  });

  it('tells what retention took away unhandled, and goes on behind it', async () => {
    const bus = await openBus();
    const reports = reportsOf(bus);
    const first = await join(bus);
    await bus.publish(range(0, 5).map((n) => event(n, 'a')));
    await until(() => first.deliveries.length === 5);
    const { partition } = first.deliveries[0]?.origin ?? { partition: -1 };
    await first.running.stop();
    await bus.publish(range(5, 20).map((n) => event(n, 'a')));
    await admin.connect();
    const partitions = [{ partition, offset: '12' }];
    await admin.fetchTopicOffsets(prefix + EVENTS);
    await admin.deleteTopicRecords({ topic: prefix + EVENTS, partitions });
    const second = await join(bus);
    await until(() => second.deliveries.length === 8);
    expect(second.numbers()).toEqual(range(12, 20));
    expect(reports).toMatchObject([
      { kind: 'lagging', group: 'g', message: expect.stringContaining('lost 7 records') },
    ]);
  });

  it.each([
    ['while it reads', true],
    ['while it is away', false],
  ])('begins a new incarnation of a topic that was made anew %s', async (_when, isReading) => {
    const bus = await openBus();
    const reports = reportsOf(bus);
    const first = await join(bus);
    await bus.publish(range(0, 30).map((n) => event(n)));
    await until(() => first.deliveries.length === 30);
    if (!isReading) await first.running.stop();
    await admin.connect();
    await admin.deleteTopics({ topics: [prefix + EVENTS] });
    const second = isReading ? first : await join(await openBus({}, 5_000));
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

  const hasKcat = spawnSync('kcat', ['-V']).status === 0;
  (hasKcat ? it : it.skip)('takes a command of a foreign program', async () => {
    const bus = await openBus();
    const data = { environment: 'production', key: 'checkout', reason: 'it is broken' };
    const heard: Delivery[] = [];
    await bus.subscribe({
      group: 'flag-service.kills',
      topics: [DisableFlag.topic],
      types: new Set([DisableFlag.type]),
      handle: async (delivery) => heard.push(delivery),
    });
    const key = DisableFlag.key(data);
    const { headers } = encode({ ...event(0), type: DisableFlag.type, key, data });
    const given = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}=${value}`]);
    const told = spawnSync(
      'kcat',
      [
        '-P',
        '-b',
        String(server?.url),
        '-t',
        prefix + DisableFlag.topic,
        '-k',
        key,
        '-z',
        'zstd',
        ...given,
      ],
      { input: JSON.stringify(data), encoding: 'utf8' },
    );
    expect(told).toMatchObject({ status: 0 });
    await until(() => heard.length === 1);
    expect(heard[0]?.message).toMatchObject({ type: DisableFlag.type, key, data });
  });

  it('makes topics as the catalogue has them', async () => {
    const bus = await openBus();
    const name = prefix + EVENTS;
    await join(bus);
    await admin.connect();
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
});
