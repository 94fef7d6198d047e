import { afterAll, afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type FlagState, type OutgoingMessage, stateTopic } from '@tidegate/contracts';
import kafkajs from 'kafkajs';
import { openServerIfAny } from '../../../test/servers/servers.ts';
import type { Bus, Delivery } from './bus.port.ts';
import {
  allOf,
  COUNTED,
  event,
  EVENTS,
  join,
  KafkaUnderTest,
  load,
  numberOf,
  QUICK,
  QUICK_BROKER,
  range,
  reportsOf,
  share,
  until,
} from './group-under-test.kafka.ts';

/** A minute in the nightly run. */
const AWAY_MS = process.env['NIGHTLY'] === undefined ? 5_000 : 60_000;
jest.setTimeout(90_000 + AWAY_MS);
const server = await openServerIfAny('kafka', { own: true, properties: QUICK_BROKER });

let under: KafkaUnderTest;
beforeEach(() => {
  under = new KafkaUnderTest(server?.url ?? '', { now: Date.now, random: Math.random });
});
afterEach(() => under.close());

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

/** Looks at the group's committed offsets all the time; tells where one was lower than before. */
async function watch({ url, prefix }: KafkaUnderTest) {
  const quiet = { brokers: [url], logLevel: kafkajs.logLevel.NOTHING };
  const admin = new kafkajs.Kafka(quiet).admin();
  await admin.connect();
  const last = new Map<number, number>();
  const back: string[] = [];
  const ending = new AbortController();
  const look = async (): Promise<void> => {
    const topics = [prefix + EVENTS];
    const [found] = await admin.fetchOffsets({ groupId: `${prefix}g`, topics });
    for (const { partition, offset } of found?.partitions ?? []) {
      const before = last.get(partition) ?? -1;
      if (Number(offset) < before) back.push(`${partition}: ${before} → ${offset}`);
      last.set(partition, Number(offset));
    }
  };
  await look();
  const watching = (async () => {
    while (!ending.signal.aborted) await look();
  })();
  return {
    wentBack: async (): Promise<readonly string[]> => {
      ending.abort();
      await watching;
      await look();
      await admin.disconnect();
      return back;
    },
  };
}

(server ? describe : describe.skip)('a group on Kafka', () => {
  afterAll(() => server?.stop());

  it('shares partitions; whoever leaves is replaced, whoever comes under load gets a share', async () => {
    const [one, two] = [await join(await under.openBus()), await join(await under.openBus())];
    await until(() => share(one, two));
    const sending = load(await under.openBus());
    await until(() => one.deliveries.length > 50 && two.deliveries.length > 50);
    await two.running.stop();
    await until(async () => (await one.partitions()).length === 6);
    const three = await join(await under.openBus());
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
    const here = await join(await under.openBus());
    const there = await under.child();
    await until(async () => (await here.partitions()).length === 3);
    const sending = load(await under.openBus());
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
    const here = await join(await under.openBus());
    const there = await under.child();
    await until(async () => (await here.partitions()).length === 3);
    const sending = load(await under.openBus());
    await until(() => there.numbers().length > 50);
    there.signal('SIGSTOP');
    await until(async () => (await here.partitions()).length === 6);
    const handled = here.deliveries.length;
    await until(() => here.deliveries.length > handled + 200);
    const watching = await watch(under);
    const before = there.numbers().length;
    there.signal('SIGCONT');
    await until(async () => (await here.partitions()).length === 3);
    await until(() => there.numbers().length > before + 50);
    const sent = await sending.end();
    await until(() => allOf(here, there).size === sent);
    expectOrder(here.deliveries);
    expect(there.errors()).toBe('');
    expect(await watching.wentBack()).toEqual([]);
  });

  it('leaves a handler its partition for longer than a session', async () => {
    const release = Promise.withResolvers<void>();
    const slow = await join(await under.openBus(), (delivery) =>
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
    const bus = await under.openBus();
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
    await until(() => !view.isReading);
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
    expect(view.isReading).toBe(true);
  });

  it('loses nothing and gives nothing up while the broker is away for long, under load', async () => {
    const bus = await under.openBus({ publish: 1_000 });
    const reports = reportsOf(bus);
    const member = await join(bus);
    const sending = load(bus);
    await until(() => member.deliveries.length > 100);
    await server?.kill();
    const since = Date.now();
    await until(() => Date.now() - since > AWAY_MS, AWAY_MS + 5_000);
    expect(reports.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['lagging']));
    await server?.restart();
    const soFar = member.deliveries.length;
    await until(() => member.deliveries.length > soFar + 100, 40_000);
    const sent = await sending.end();
    await until(() => allOf(member).size === sent);
    expectOrder(member.deliveries);
    expect(sending.refusals.length).toBeGreaterThan(0);
    for (const refusal of sending.refusals)
      expect(refusal).toMatchObject({ code: 'BUS_UNREACHABLE', retryable: true });
    expect(reports.filter(({ kind }) => kind !== 'lagging')).toEqual([]);
    expect(await bus.deadLetters.list({ limit: 1 })).toEqual([]);
  });

  it('waits for a broker that is away, also one that was never there, and refuses in time', async () => {
    const early = await under.openBus();
    const member = await join(early);
    await early.publish([event(0)]);
    await until(() => member.deliveries.length === 1);
    await server?.kill();
    const reports = reportsOf(early);
    const since = Date.now();
    await expect(early.publish([event(1)])).rejects.toMatchObject({ code: 'BUS_UNREACHABLE' });
    expect(Date.now() - since).toBeLessThan(4_000);
    const late = await under.openBus({ join: 500 });
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

  describe('the lag', () => {
    const lagOf = async (bus: Bus, group = 'g') => {
      const own = (await bus.lag()).filter((lag) => lag.topic === EVENTS && lag.group === group);
      return {
        records: own.reduce((sum, { records }) => sum + records, 0),
        ageMs: Math.max(...own.map(({ ageMs }) => ageMs)),
      };
    };
    const isIdle = (bus: Bus) => async () => {
      expect(await lagOf(bus)).toEqual({ records: 0, ageMs: 0 });
      return true;
    };

    it('is nothing while idle, and grows in records and in time while a group is behind', async () => {
      const bus = await under.openBus();
      await bus.publish([event(0, 'a')]);
      const release = Promise.withResolvers<void>();
      const hold = { it: Promise.resolve() };
      const member = await join(bus, () => hold.it);
      await until(() => member.deliveries.length === 1);
      await until(isIdle(bus));

      hold.it = release.promise;
      const since = Date.now();
      await bus.publish(range(1, 101).map((n) => event(n, 'a')));
      await until(() => member.deliveries.length === 2);
      expect(await lagOf(bus)).toMatchObject({ records: 100 });
      await until(async () => (await lagOf(bus)).ageMs > 1_000);
      expect((await lagOf(bus)).ageMs).toBeLessThanOrEqual(Date.now() - since + 50);
      release.resolve();
      await until(isIdle(bus));
    });

    it('is the same after a restart, and for a group that has committed nothing', async () => {
      const first = await under.openBus();
      const before = await join(first);
      await first.publish(range(0, 20).map((n) => event(n, 'a')));
      await until(() => before.deliveries.length === 20);
      await first.close();

      const sender = await under.openBus();
      const since = Date.now();
      await sender.publish(range(20, 50).map((n) => event(n, 'a')));
      const never = new Promise<never>(() => undefined);
      const handle = () => never;
      const types = new Set([COUNTED]);
      const second = await under.openBus({ close: 500 });
      await second.subscribe({ group: 'g', topics: [EVENTS], types, handle });
      await second.subscribe({ group: 'new', topics: [EVENTS], types, handle });
      await until(async () => (await lagOf(second)).ageMs > 500);
      expect(await lagOf(second)).toMatchObject({ records: 30 });
      expect((await lagOf(second)).ageMs).toBeLessThanOrEqual(Date.now() - since + 50);
      await until(async () => (await lagOf(second, 'new')).records === 50);
      expect((await lagOf(second, 'new')).ageMs).toBeGreaterThanOrEqual(
        (await lagOf(second)).ageMs,
      );
      await second.abandon();
    });
  });
});
