import { afterEach, describe, expect, it } from '@jest/globals';
import {
  DisableFlag,
  encode,
  FlagCommandAnswered,
  type FlagState,
  type Message,
  MessageDeadLettered,
  type OutgoingMessage,
  SecurityEventRecorded,
  stateTopic,
  type WireRecord,
} from '@tidegate/contracts';
import { AppError, type Json, reject } from '@tidegate/kernel';
import { eventually } from '@tidegate/kernel/testing';
import {
  type Bus,
  type BusReport,
  type Delivery,
  MAX_MESSAGE_BYTES,
  type Origin,
} from './bus.port.ts';
import type { DeliveryPolicy } from './delivery-policy.ts';

/** How the suite meets an adapter. */
export interface BusUnderTest {
  readonly bus: Bus;
  /** Appends records as they are, as other programs than ours may have written them. */
  inject(topic: string, records: readonly WireRecord[]): Promise<void>;
  /** As if the process was killed now, and another one began on the same log. */
  kill(): Promise<BusUnderTest>;
  /** Another process begins on the same log, after the first has closed its bus. */
  reopen(): Promise<BusUnderTest>;
}

/** A bus on a new, empty log. The suite closes what it opens. */
export type OpenBus = (policy: Partial<DeliveryPolicy>) => Promise<BusUnderTest>;

const QUICK: Partial<DeliveryPolicy> = {
  firstRetryMs: 2,
  longestRetryMs: 10,
  retries: 3,
  lagDeadlineMs: 20,
  deadlineMs: 40,
};
const ENV = 'production';

let count = 0;
const envelope = () => {
  count += 1;
  return { id: `m-${count}`, source: 'spec', at: 1_000 + count, actor: 'spec', correlationId: 'c' };
};

/** An event on a topic with several partitions. */
const event = (key: string, n = 0, details: Record<string, Json> = {}): OutgoingMessage => ({
  topic: SecurityEventRecorded.topic,
  type: SecurityEventRecorded.type,
  key,
  data: { service: key, event: 'counted', message: String(n), details },
  metadata: envelope(),
});

const kill = (flag = 'checkout'): OutgoingMessage => {
  const data = { environment: ENV, key: flag, reason: 'it is broken' };
  return {
    topic: DisableFlag.topic,
    type: DisableFlag.type,
    key: DisableFlag.key(data),
    data,
    metadata: envelope(),
  };
};

const state = (flag: string, version: number): OutgoingMessage => ({
  topic: stateTopic(ENV),
  type: 'FlagState' satisfies FlagState['type'],
  key: flag,
  data: { environment: ENV, key: flag, flag: null },
  metadata: { ...envelope(), revision: { epoch: 1, version } },
});

const EVENTS = SecurityEventRecorded.topic;
const numberOf = (message: Message): number =>
  Number((message.data as { message: string }).message);

/** A condition is waited for, not a time. */
const until = (isTrue: () => boolean | Promise<boolean>): Promise<boolean> =>
  eventually(isTrue, 8_000);

interface Interest {
  readonly topics?: readonly string[];
  readonly types?: readonly string[];
}

/** A subscription that keeps what it was given, and does with it what it is told. */
async function listen(
  bus: Bus,
  group: string,
  handle: (delivery: Delivery) => unknown = () => undefined,
  { topics = [EVENTS], types = [SecurityEventRecorded.type] }: Interest = {},
) {
  const deliveries: Delivery[] = [];
  const running = await bus.subscribe({
    group,
    topics,
    types: new Set(types),
    handle: async (delivery) => {
      deliveries.push(delivery);
      await handle(delivery);
    },
  });
  return {
    deliveries,
    running,
    numbers: () => deliveries.map(({ message }) => numberOf(message)),
  };
}

const onKills: Interest = { topics: [DisableFlag.topic], types: [DisableFlag.type] };

const reportsOf = (bus: Bus): BusReport[] => {
  const reports: BusReport[] = [];
  bus.onReport((report) => reports.push(report));
  return reports;
};

const away = () => new AppError('STORE_UNREACHABLE', 'No server answers.', { retryable: true });
const conflict = () => new AppError('STORE_VERSION_CONFLICT', 'Too late.', { retryable: true });
const turn = () => new Promise((resolve) => setImmediate(resolve));
const text = (value: string) => new TextEncoder().encode(value);

/** What every bus promises. Whole: also the double in memory passes it. */
export function busContract(open: OpenBus): void {
  const opened: Bus[] = [];
  const track = (under: BusUnderTest): BusUnderTest => {
    opened.push(under.bus);
    return {
      ...under,
      kill: async () => {
        opened.splice(opened.indexOf(under.bus), 1);
        return track(await under.kill());
      },
      reopen: async () => track(await under.reopen()),
    };
  };
  const start = async (policy: Partial<DeliveryPolicy> = {}): Promise<BusUnderTest> =>
    track(await open({ ...QUICK, ...policy }));

  afterEach(async () => {
    for (const bus of opened.splice(0)) await bus.close();
  });

  describe('order', () => {
    it('keeps the order of each key, over several partitions and failing attempts', async () => {
      // Which attempts fail is chance: the same record's may be any number in a row.
      const { bus } = await start({ retries: 100 });
      const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
      let calls = 0;
      const handled = new Map<string, number[]>();
      await listen(bus, 'g', async ({ message }) => {
        calls += 1;
        if (calls % 7 === 0) throw conflict();
        if (calls % 3 === 0) await turn();
        handled.set(message.key, [...(handled.get(message.key) ?? []), numberOf(message)]);
      });
      for (let n = 0; n < 20; n += 1) await bus.publish(keys.map((key) => event(key, n)));
      await until(() => [...handled.values()].flat().length === 20 * keys.length);
      for (const key of keys) expect(handled.get(key)).toEqual([...Array(20).keys()]);
    });

    it('spreads keys over partitions', async () => {
      const { bus } = await start();
      const { deliveries } = await listen(bus, 'g');
      await bus.publish(Array.from({ length: 60 }, (_, n) => event(`key-${n}`, n)));
      await until(() => deliveries.length === 60);
      expect(new Set(deliveries.map(({ origin }) => origin.partition)).size).toBe(6);
    });

    it('lets a slow handler hold up its own partition only', async () => {
      const { bus } = await start({ deadlineMs: 5_000 });
      const release = Promise.withResolvers<void>();
      const { numbers } = await listen(bus, 'g', async ({ message }) => {
        if (message.key === 'slow') await release.promise;
      });
      await bus.publish([event('slow', 1), event('slow', 2)]);
      await bus.publish(Array.from({ length: 30 }, (_, n) => event(`key-${n}`, 100 + n)));
      const others = ({ length }: number[]) => length;
      await until(() => others(numbers().filter((n) => n >= 100)) >= 20);
      expect(numbers()).not.toContain(2);
      release.resolve();
      await until(() => numbers().includes(2));
    });
  });

  describe('delivery', () => {
    it('gives a message, its definition, its origin and the attempt', async () => {
      const { bus } = await start();
      const { deliveries } = await listen(bus, 'g');
      const sent = event('a', 7);
      await bus.publish([sent]);
      await until(() => deliveries.length === 1);
      const { topic, ...message } = sent;
      expect(deliveries[0]).toMatchObject({
        message,
        attempt: 1,
        origin: { topic, partition: expect.any(Number), offset: 0n },
        definition: SecurityEventRecorded,
      });
    });

    it('gives each group everything, a new one from the beginning', async () => {
      const { bus } = await start();
      const early = await listen(bus, 'early');
      await bus.publish([event('a', 1), event('a', 2)]);
      await until(() => early.deliveries.length === 2);
      const late = await listen(bus, 'late');
      await bus.publish([event('a', 3)]);
      await until(() => late.deliveries.length === 3 && early.deliveries.length === 3);
      expect(late.numbers()).toEqual([1, 2, 3]);
    });

    it('passes over what a group does not take, broken or not', async () => {
      const { bus, inject } = await start();
      const reports = reportsOf(bus);
      const { deliveries } = await listen(bus, 'g', undefined, {
        topics: [EVENTS, DisableFlag.topic],
      });
      await inject(DisableFlag.topic, [{ ...encode(kill()), value: text('{"a":1') }]);
      await bus.publish([kill(), event('a')]);
      await until(() => deliveries.length === 1);
      await until(async () => (await bus.lag()).every(({ records }) => records === 0));
      expect(reports).toEqual([]);
    });

    it('takes a refusal for an answer: it commits', async () => {
      const { bus } = await start();
      const { deliveries } = await listen(bus, 'g', () => reject('FLAG_UNKNOWN', 'No such flag.'));
      await bus.publish([event('a', 1), event('a', 2)]);
      await until(() => deliveries.length === 2);
      expect(await bus.deadLetters.list({ limit: 10 })).toEqual([]);
    });

    it('delivers again what a killed process had in hand, and loses nothing', async () => {
      const first = await start({ deadlineMs: 5_000 });
      const before = await listen(first.bus, 'g', ({ message }) =>
        numberOf(message) === 3 ? new Promise(() => undefined) : undefined,
      );
      await first.bus.publish([1, 2, 3, 4, 5].map((n) => event('a', n)));
      await until(() => before.deliveries.length === 3);
      // What the adapter has noted by now becomes durable with this one, at the latest.
      await first.bus.publish([event('a', 6)]);
      const { bus } = await first.kill();
      const after = await listen(bus, 'g');
      await until(() => after.numbers().includes(6));
      expect(after.numbers().slice(-4)).toEqual([3, 4, 5, 6]);
      expect(before.numbers()).toEqual([1, 2, 3]);
    });

    it('delivers nothing twice after an ordered end', async () => {
      const first = await start();
      const before = await listen(first.bus, 'g');
      await first.bus.publish([event('a', 1), event('b', 2)]);
      await until(() => before.deliveries.length === 2);
      await first.bus.close();
      const { bus } = await first.reopen();
      const after = await listen(bus, 'g');
      await bus.publish([event('a', 3)]);
      await until(() => after.deliveries.length === 1);
      expect(after.numbers()).toEqual([3]);
    });

    it('finishes and commits what is being handled before it closes', async () => {
      const first = await start({ deadlineMs: 5_000 });
      const release = Promise.withResolvers<void>();
      let isHandled = false;
      const before = await listen(first.bus, 'g', async () => {
        await release.promise;
        isHandled = true;
      });
      await first.bus.publish([event('a', 1), event('a', 2)]);
      await until(() => before.deliveries.length === 1);
      const closing = first.bus.close();
      await turn();
      release.resolve();
      await closing;
      expect(isHandled).toBe(true);
      const { bus } = await first.reopen();
      const after = await listen(bus, 'g');
      await until(() => after.deliveries.length === 1);
      expect(after.numbers()).toEqual([2]);
    });

    it('lets a handler publish while the bus closes', async () => {
      const first = await start({ deadlineMs: 5_000 });
      const release = Promise.withResolvers<void>();
      const { deliveries } = await listen(first.bus, 'g', async ({ message }) => {
        await release.promise;
        if (numberOf(message) === 1) await first.bus.publish([event('a', 2)]);
      });
      await first.bus.publish([event('a', 1)]);
      await until(() => deliveries.length === 1);
      const closing = first.bus.close();
      release.resolve();
      await closing;
      const { bus } = await first.reopen();
      const after = await listen(bus, 'g');
      await until(() => after.numbers().includes(2));
    });

    it('has one group stop and go on while others work', async () => {
      const { bus } = await start();
      const { running, deliveries } = await listen(bus, 'g');
      await bus.publish([event('a', 1)]);
      await until(() => deliveries.length === 1);
      await running.stop();
      await bus.publish([event('a', 2)]);
      const again = await listen(bus, 'g');
      await until(() => again.deliveries.length === 1);
      expect(again.numbers()).toEqual([2]);
    });
  });

  describe('failures', () => {
    it('tries a retryable failure again until it ends, in order', async () => {
      const { bus } = await start();
      let failures = 0;
      const handled: number[] = [];
      const { deliveries } = await listen(bus, 'g', ({ message }) => {
        if (numberOf(message) === 1 && failures < 2) {
          failures += 1;
          throw conflict();
        }
        handled.push(numberOf(message));
      });
      await bus.publish([event('a', 1), event('a', 2)]);
      await until(() => handled.length === 2);
      expect(handled).toEqual([1, 2]);
      expect(deliveries.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 1]);
      expect(await bus.deadLetters.list({ limit: 10 })).toEqual([]);
    });

    it('gives up a retryable failure that does not end, once its budget is spent', async () => {
      const { bus } = await start();
      const reports = reportsOf(bus);
      const { deliveries } = await listen(bus, 'g', ({ message }) => {
        if (numberOf(message) === 1) throw conflict();
      });
      await bus.publish([event('a', 1), event('a', 2)]);
      await until(() => deliveries.some(({ message }) => numberOf(message) === 2));
      expect(deliveries.filter(({ message }) => numberOf(message) === 1)).toHaveLength(4);
      expect(await bus.deadLetters.list({ limit: 10 })).toMatchObject([
        { group: 'g', reason: 'retries-spent', code: 'STORE_VERSION_CONFLICT', attempts: 4 },
      ]);
      expect(reports.map(({ kind }) => kind)).toContain('dead-lettered');
    });

    it('waits while the store is away, tells, and gives nothing up', async () => {
      const { bus } = await start();
      const reports = reportsOf(bus);
      let isAway = true;
      const handled: number[] = [];
      const { deliveries } = await listen(bus, 'g', ({ message }) => {
        if (isAway) throw away();
        handled.push(numberOf(message));
      });
      await bus.publish([event('a', 1), event('a', 2)]);
      await until(() => deliveries.length > 12 && reports.length > 0);
      await until(async () =>
        (await bus.lag()).some(
          ({ waitingFor, records }) => waitingFor === 'STORE_UNREACHABLE' && records === 2,
        ),
      );
      expect(reports).toMatchObject([{ kind: 'lagging', group: 'g', topic: EVENTS }]);
      isAway = false;
      await until(() => handled.length === 2);
      expect(handled).toEqual([1, 2]);
      expect(await bus.deadLetters.list({ limit: 10 })).toEqual([]);
    });

    it.each([
      ['a TypeError', () => new TypeError('x is not a function'), 'TypeError'],
      ['a failure that will stay', () => new AppError('PLAN_BROKEN', 'It is.'), 'PLAN_BROKEN'],
      ['what is no error at all', () => 'oh no', 'UNKNOWN'],
    ])('gives up %s at once, and goes on', async (_what, thrown, code) => {
      const { bus } = await start();
      const { numbers } = await listen(bus, 'g', ({ message }) => {
        if (numberOf(message) === 1) throw thrown();
      });
      await bus.publish([event('a', 1), event('a', 2)]);
      await until(() => numbers().includes(2));
      expect(numbers()).toEqual([1, 2]);
      expect(await bus.deadLetters.list({ limit: 10 })).toMatchObject([
        { group: 'g', reason: 'failed', code, attempts: 1, origin: { topic: EVENTS } },
      ]);
    });

    const good = () => encode(event('a', 1));
    const withHeader = (name: string, value: string): WireRecord => ({
      ...good(),
      headers: { ...good().headers, [name]: value },
    });
    const without = (name: string): WireRecord => {
      const { [name]: _gone, ...headers } = good().headers;
      return { ...good(), headers };
    };
    it.each<[string, WireRecord, string, string]>([
      ['no JSON', { ...good(), value: text('{"a":1') }, 'undecodable', 'MESSAGE_NOT_JSON'],
      [
        'no UTF-8',
        { ...good(), value: new Uint8Array([0xff, 0xfe]) },
        'undecodable',
        'MESSAGE_NOT_JSON',
      ],
      ['an empty value', { ...good(), value: null }, 'undecodable', 'MESSAGE_EMPTY'],
      [
        'not its schema',
        { ...good(), value: text('{"service":7}') },
        'undecodable',
        'MESSAGE_INVALID',
      ],
      ['no id', without('ce_id'), 'undecodable', 'MESSAGE_HEADER_MISSING'],
      ['no type', without('ce_type'), 'undecodable', 'MESSAGE_HEADER_MISSING'],
      [
        'an unknown version',
        withHeader('ce_type', SecurityEventRecorded.wire.replace('.v1', '.v9')),
        'unknown-version',
        'MESSAGE_VERSION_UNKNOWN',
      ],
    ])('gives up a record with %s, and goes on', async (_what, record, reason, code) => {
      const { bus, inject } = await start();
      const reports = reportsOf(bus);
      const { numbers } = await listen(bus, 'g');
      await inject(EVENTS, [record]);
      await bus.publish([event('a', 2)]);
      await until(() => numbers().includes(2));
      const [letter] = await bus.deadLetters.list({ limit: 10 });
      expect(letter).toMatchObject({ group: 'g', reason, code, attempts: 1 });
      expect(letter?.record).toEqual(record);
      expect(reports).toEqual([{ kind: 'dead-lettered', letter }]);
    });

    it('counts a type that nobody knows, and passes over it', async () => {
      const { bus, inject } = await start();
      const reports = reportsOf(bus);
      const { numbers } = await listen(bus, 'g');
      await inject(EVENTS, [withHeader('ce_type', 'tidegate.moon.rose.v1')]);
      await bus.publish([event('a', 2)]);
      await until(() => numbers().includes(2));
      expect(reports).toEqual([
        { kind: 'unknown-type', group: 'g', type: 'tidegate.moon.rose.v1' },
      ]);
      expect(await bus.deadLetters.list({ limit: 10 })).toEqual([]);
    });

    it('passes over an unknown version of what the group does not take', async () => {
      const { bus, inject } = await start();
      const reports = reportsOf(bus);
      const { numbers } = await listen(bus, 'g');
      await inject(EVENTS, [withHeader('ce_type', 'tidegate.flag.disabled.v9')]);
      await bus.publish([event('a', 2)]);
      await until(() => numbers().includes(2));
      expect(reports).toEqual([]);
    });

    it('reports a handler past its deadline, while other partitions go on', async () => {
      const { bus } = await start();
      const reports = reportsOf(bus);
      const release = Promise.withResolvers<void>();
      const { numbers } = await listen(bus, 'g', async ({ message }) => {
        if (message.key === 'hangs') await release.promise;
      });
      await bus.publish([event('hangs', 1)]);
      await until(() => reports.length > 0);
      expect(reports).toMatchObject([{ kind: 'stuck', group: 'g', topic: EVENTS }]);
      await bus.publish(Array.from({ length: 12 }, (_, n) => event(`key-${n}`, 100 + n)));
      await until(() => numbers().length > 6);
      release.resolve();
      await until(() => numbers().length === 13);
    });

    it('gives up a message that ends the process again and again', async () => {
      let under = await start({ deadlineMs: 5_000 });
      await under.bus.publish([event('a', 1), event('a', 2), event('a', 3), event('b', 4)]);
      const handled = new Set<number>();
      let deaths = 0;
      for (; deaths < 10; deaths += 1) {
        const ending = Promise.withResolvers<'died'>();
        await listen(under.bus, 'g', async ({ message }) => {
          if (numberOf(message) === 2) {
            ending.resolve('died');
            await new Promise(() => undefined);
          }
          handled.add(numberOf(message));
        });
        const done = until(() => handled.has(3)).then(() => 'done' as const);
        if ((await Promise.race([ending.promise, done])) === 'done') break;
        handled.add(3);
        await done;
        handled.delete(3);
        under = await under.kill();
      }
      expect(deaths).toBe(3);
      await until(() => handled.has(4));
      expect(handled).toEqual(new Set([1, 3, 4]));
      expect(await under.bus.deadLetters.list({ limit: 10 })).toMatchObject([
        { reason: 'ended-process', code: 'BUS_PROCESS_ENDED', group: 'g' },
      ]);
    });

    it('takes a message that failed, but did not end the process, as often as it needs', async () => {
      const first = await start({ deadlineMs: 5_000 });
      await first.bus.publish([event('a', 1)]);
      const before = await listen(first.bus, 'g', () => new Promise(() => undefined));
      await until(() => before.deliveries.length === 1);
      const { bus } = await first.kill();
      let failures = 0;
      const after = await listen(bus, 'g', () => {
        failures += 1;
        if (failures < 8) throw away();
      });
      await until(() => after.deliveries.length === 8);
      expect(await bus.deadLetters.list({ limit: 10 })).toEqual([]);
    });
  });

  describe('dead letters', () => {
    const failing = async (bus: Bus, group: string, isBroken: { value: boolean }) =>
      listen(bus, group, () => {
        if (isBroken.value) throw new TypeError('broken');
      });

    it('lists newest first, by pages, and finds one', async () => {
      const { bus } = await start();
      await failing(bus, 'g', { value: true });
      const sent = [1, 2, 3, 4, 5].map((n) => event('a', n));
      await bus.publish(sent);
      await until(async () => (await bus.deadLetters.list({ limit: 10 })).length === 5);
      const [newest, second] = await bus.deadLetters.list({ limit: 2 });
      const rest = await bus.deadLetters.list({ limit: 10, after: String(second?.id) });
      const ids = [newest, second, ...rest].map((letter) => letter?.record.headers['ce_id']);
      expect(ids).toEqual(sent.map(({ metadata }) => metadata.id).reverse());
      expect(await bus.deadLetters.find(String(newest?.id))).toEqual(newest);
      expect(await bus.deadLetters.find('nobody')).toBeUndefined();
    });

    it('publishes each as an event, with the original bytes, whatever their size', async () => {
      const { bus } = await start();
      await failing(bus, 'g', { value: true });
      const events = await listen(bus, 'watcher', undefined, {
        topics: [MessageDeadLettered.topic],
        types: [MessageDeadLettered.type],
      });
      const large = event('a', 1, { text: 'x'.repeat(1_000_000) });
      await bus.publish([large]);
      await until(() => events.deliveries.length === 1);
      const data = events.deliveries[0]?.message.data as MessageDeadLettered['data'];
      expect(data).toMatchObject({ group: 'g', reason: 'failed', code: 'TypeError', key: 'a' });
      expect(JSON.parse(Buffer.from(data.value, 'base64').toString())).toEqual(large.data);
      const [letter] = await bus.deadLetters.list({ limit: 1 });
      expect(letter?.id).toBe(events.deliveries[0]?.message.metadata.id);
    });

    it('does not feed on the dead letters that their own reader cannot handle', async () => {
      const { bus } = await start();
      const reports = reportsOf(bus);
      await failing(bus, 'g', { value: true });
      const watcher = await listen(
        bus,
        'watcher',
        () => {
          throw new TypeError('broken as well');
        },
        { topics: [MessageDeadLettered.topic], types: [MessageDeadLettered.type] },
      );
      await bus.publish([event('a', 1)]);
      await until(() => reports.length === 2);
      expect(watcher.deliveries).toHaveLength(1);
      expect(await bus.deadLetters.list({ limit: 10 })).toHaveLength(1);
      const groups = reports.map((each) => each.kind === 'dead-lettered' && each.letter.group);
      expect(new Set(groups)).toEqual(new Set(['g', 'watcher']));
    });

    it('answers a command that is given up: it is refused', async () => {
      const { bus } = await start();
      const command = kill();
      const answers = await listen(bus, 'asker', undefined, {
        topics: [FlagCommandAnswered.topic],
        types: [FlagCommandAnswered.type],
      });
      await listen(
        bus,
        'flag-service.kills',
        () => {
          throw new TypeError('broken');
        },
        onKills,
      );
      await bus.publish([command]);
      await until(() => answers.deliveries.length === 1);
      expect(answers.deliveries[0]?.message).toMatchObject({
        key: command.key,
        data: {
          environment: ENV,
          key: 'checkout',
          command: { id: command.metadata.id, source: 'spec', type: DisableFlag.type },
          outcome: 'refused',
          code: 'TypeError',
        },
        metadata: { correlationId: 'c', causationId: command.metadata.id },
      });
    });

    it('replays to the one group that failed, once', async () => {
      const { bus } = await start();
      const isBroken = { value: true };
      const one = await failing(bus, 'one', isBroken);
      const other = await listen(bus, 'other');
      const sent = event('a', 1);
      await bus.publish([sent]);
      await until(async () => (await bus.deadLetters.list({ limit: 1 })).length === 1);
      isBroken.value = false;
      const [letter] = await bus.deadLetters.list({ limit: 1 });
      await bus.deadLetters.replay(String(letter?.id), 'alex');
      await until(() => one.deliveries.length === 2);
      await bus.publish([event('a', 2)]);
      await until(() => other.deliveries.length === 2 && one.deliveries.length === 3);
      expect(other.numbers()).toEqual([1, 2]);
      const { topic: _topic, ...message } = sent;
      expect(one.deliveries[1]).toMatchObject({ message, origin: letter?.origin });
      expect(one.deliveries[1]?.record).toEqual(one.deliveries[0]?.record);
      expect(await bus.deadLetters.list({ limit: 10 })).toEqual([
        { ...letter, replayedAt: expect.any(Number) },
      ]);
    });

    it('keeps a replay for a group that is away', async () => {
      const first = await start();
      const { running } = await failing(first.bus, 'g', { value: true });
      await first.bus.publish([event('a', 1)]);
      await until(async () => (await first.bus.deadLetters.list({ limit: 1 })).length === 1);
      await running.stop();
      const [letter] = await first.bus.deadLetters.list({ limit: 1 });
      await first.bus.deadLetters.replay(String(letter?.id), 'alex');
      await first.bus.close();
      const { bus } = await first.reopen();
      const after = await listen(bus, 'g');
      await until(() => after.deliveries.length === 1);
      expect(after.numbers()).toEqual([1]);
    });

    it('gives up a replay that fails again, as a letter of its own', async () => {
      const { bus } = await start();
      await failing(bus, 'g', { value: true });
      await bus.publish([event('a', 1)]);
      await until(async () => (await bus.deadLetters.list({ limit: 9 })).length === 1);
      const [letter] = await bus.deadLetters.list({ limit: 1 });
      await bus.deadLetters.replay(String(letter?.id), 'alex');
      await until(async () => (await bus.deadLetters.list({ limit: 9 })).length === 2);
      const [again] = await bus.deadLetters.list({ limit: 1 });
      expect(again).toMatchObject({ origin: letter?.origin, record: letter?.record });
      expect(again?.id).not.toBe(letter?.id);
    });

    it('refuses to replay what it does not know', async () => {
      const { bus } = await start();
      await expect(bus.deadLetters.replay('nobody', 'alex')).rejects.toMatchObject({
        code: 'BUS_DEAD_LETTER_UNKNOWN',
      });
    });
  });

  describe('kills', () => {
    it('handles a kill that was published behind 10 000 others', async () => {
      const { bus } = await start({ deadlineMs: 60_000 });
      const { deliveries } = await listen(bus, 'service', turn);
      let othersBefore: number | undefined;
      await listen(
        bus,
        'service.kills',
        () => {
          othersBefore = deliveries.length;
        },
        onKills,
      );
      const others = Array.from({ length: 10_000 }, (_, n) => event(`key-${n % 50}`, n));
      await bus.publish([...others, kill()]);
      await until(() => othersBefore !== undefined);
      expect(othersBefore).toBeLessThan(5_000);
      await until(() => deliveries.length === 10_000);
    }, 30_000);

    it('gives up a kill that fails at once, and tells', async () => {
      const { bus } = await start();
      const reports = reportsOf(bus);
      await listen(
        bus,
        's.kills',
        () => {
          throw new TypeError('broken');
        },
        onKills,
      );
      await bus.publish([kill()]);
      await until(() => reports.length === 1);
      expect(reports).toMatchObject([
        { kind: 'dead-lettered', letter: { attempts: 1, origin: { topic: DisableFlag.topic } } },
      ]);
    });

    it('keeps a kill while the store is away, and carries it out then', async () => {
      const { bus } = await start();
      let isAway = true;
      const { deliveries } = await listen(
        bus,
        's.kills',
        () => {
          if (isAway) throw away();
        },
        onKills,
      );
      await bus.publish([kill()]);
      await until(() => deliveries.length > 8);
      isAway = false;
      await until(async () => (await bus.lag()).every(({ records }) => records === 0));
      expect(await bus.deadLetters.list({ limit: 1 })).toEqual([]);
    });
  });

  describe('publishing', () => {
    it('takes messages while nobody reads, and while a reader hangs', async () => {
      const { bus } = await start({ deadlineMs: 60_000 });
      const release = Promise.withResolvers<void>();
      const { deliveries } = await listen(bus, 'g', () => release.promise);
      for (let n = 0; n < 30; n += 1)
        await bus.publish(Array.from({ length: 100 }, (_, m) => event(`key-${m}`, n)));
      const lags = await bus.lag();
      expect(deliveries.length).toBeLessThanOrEqual(6);
      expect(lags.reduce((sum, { records }) => sum + records, 0)).toBe(3_000);
      expect(Math.max(...lags.map(({ ageMs }) => ageMs))).toBeGreaterThanOrEqual(0);
      release.resolve();
      await until(() => deliveries.length === 3_000);
      await until(async () => (await bus.lag()).every(({ records }) => records === 0));
      expect((await bus.lag()).some(({ lastProgressAt }) => lastProgressAt !== undefined)).toBe(
        true,
      );
    });

    it('takes a message of 1 MB, and refuses a larger one whole', async () => {
      const { bus } = await start();
      const { deliveries } = await listen(bus, 'g');
      await bus.publish([event('a', 1, { text: 'x'.repeat(1_048_576) })]);
      const tooLarge = event('a', 2, { text: 'x'.repeat(MAX_MESSAGE_BYTES) });
      await expect(bus.publish([event('a', 3), tooLarge])).rejects.toMatchObject({
        code: 'BUS_MESSAGE_TOO_LARGE',
        retryable: false,
      });
      await until(() => deliveries.length > 0);
      expect(deliveries[0]?.message.data).toMatchObject({ message: '1' });
    });

    it('refuses what is not in the catalogue', async () => {
      const { bus } = await start();
      const wrongTopic = { ...event('a'), topic: 'nowhere' };
      const wrongType = { ...event('a'), type: 'MoonRose' };
      await expect(bus.publish([wrongTopic])).rejects.toMatchObject({ code: 'BUS_TOPIC_UNKNOWN' });
      await expect(bus.publish([wrongType])).rejects.toMatchObject({ code: 'BUS_TYPE_UNKNOWN' });
      await expect(listen(bus, 'g', undefined, { topics: ['nowhere'] })).rejects.toMatchObject({
        code: 'BUS_TOPIC_UNKNOWN',
      });
    });

    it('names the topics that are there', async () => {
      const { bus } = await start();
      await bus.publish([event('a')]);
      expect(await bus.topics()).toContain(EVENTS);
      expect(await bus.topics()).not.toContain(stateTopic('nowhere'));
    });

    it('is checked by whoever asks, and says so once it is closed', async () => {
      const { bus } = await start();
      await bus.check();
      await bus.close();
      await expect(bus.check()).rejects.toMatchObject({ code: 'BUS_CLOSED' });
      await expect(bus.publish([event('a')])).rejects.toMatchObject({ code: 'BUS_CLOSED' });
      await expect(listen(bus, 'g')).rejects.toMatchObject({ code: 'BUS_CLOSED' });
      await bus.close();
    });
  });

  describe('raw records', () => {
    it('gives every record as it is, in batches, in order of each partition', async () => {
      const { bus, inject } = await start();
      const broken: WireRecord = { key: 'a', headers: {}, value: text('?') };
      await bus.publish([1, 2, 3, 4].map((n) => event('a', n)));
      await inject(EVENTS, [broken]);
      const batches: number[] = [];
      const offsets: bigint[] = [];
      const records: WireRecord[] = [];
      await bus.subscribeRaw({
        group: 'archive',
        topics: [EVENTS, DisableFlag.topic],
        maxBatch: 2,
        handle: async (batch) => {
          batches.push(batch.length);
          offsets.push(...batch.map(({ origin }) => origin.offset));
          records.push(...batch.map(({ record }) => record));
        },
      });
      await until(() => records.length === 5);
      expect(Math.max(...batches)).toBe(2);
      expect(offsets).toEqual([0n, 1n, 2n, 3n, 4n]);
      expect(records.at(-1)).toEqual(broken);
      expect(await bus.deadLetters.list({ limit: 1 })).toEqual([]);
    });

    it('gives a batch again until it is taken, whatever was thrown, then what follows', async () => {
      const first = await start();
      const reports = reportsOf(first.bus);
      const seen: string[] = [];
      let failures = 0;
      await first.bus.publish([event('a', 1)]);
      await first.bus.subscribeRaw({
        group: 'archive',
        topics: [EVENTS],
        maxBatch: 10,
        handle: async (batch) => {
          seen.push(...batch.map(({ record }) => String(record.headers['ce_id'])));
          failures += 1;
          if (failures < 6) throw new TypeError('broken');
        },
      });
      await until(() => failures === 6);
      await until(async () => (await first.bus.lag()).every(({ records }) => records === 0));
      expect(new Set(seen).size).toBe(1);
      expect(reports.filter(({ kind }) => kind !== 'lagging')).toEqual([]);
      await first.bus.close();
      const { bus } = await first.reopen();
      const later: unknown[] = [];
      await bus.subscribeRaw({
        group: 'archive',
        topics: [EVENTS],
        maxBatch: 10,
        handle: async (batch) => void later.push(...batch),
      });
      await bus.publish([event('a', 2)]);
      await until(() => later.length === 1);
    });

    it('goes on where its reader says that it has got to, wherever the group has', async () => {
      const first = await start();
      const key = 'a';
      const archive = async (bus: Bus, from?: readonly Origin[]) => {
        const taken: Origin[] = [];
        const running = await bus.subscribeRaw({
          group: 'archive',
          topics: [EVENTS],
          maxBatch: 10,
          ...(from ? { from } : {}),
          handle: async (batch) => void taken.push(...batch.map(({ origin }) => origin)),
        });
        const offsets = async (count: number): Promise<readonly bigint[]> => {
          await until(() => taken.length === count);
          return taken.map(({ offset }) => offset);
        };
        return { running, taken, offsets };
      };
      await first.bus.publish([1, 2, 3, 4].map((n) => event(key, n)));
      const before = await archive(first.bus);
      expect(await before.offsets(4)).toEqual([0n, 1n, 2n, 3n]);
      const [, , third] = before.taken;
      await first.bus.close();

      const second = await first.reopen();
      const behind = await archive(second.bus, third ? [third] : []);
      expect(await behind.offsets(2)).toEqual([2n, 3n]);
      expect(behind.taken[0]).toEqual(third);
      await second.bus.publish([event(key, 5)]);
      expect(await behind.offsets(3)).toEqual([2n, 3n, 4n]);
      await second.bus.close();

      const { bus } = await second.reopen();
      const anew = await archive(bus, []);
      expect(await anew.offsets(5)).toEqual([0n, 1n, 2n, 3n, 4n]);
      expect(anew.taken[2]).toEqual(third);
    });

    it('tells of a batch that hangs', async () => {
      const { bus } = await start();
      const reports = reportsOf(bus);
      const release = Promise.withResolvers<void>();
      await bus.publish([event('a', 1)]);
      await bus.subscribeRaw({
        group: 'archive',
        topics: [EVENTS],
        maxBatch: 10,
        handle: () => release.promise,
      });
      await until(() => reports.length > 0);
      expect(reports).toMatchObject([{ kind: 'stuck', group: 'archive' }]);
      release.resolve();
    });
  });

  describe('views', () => {
    const watch = async (bus: Bus) => {
      const held = new Map<string, number | undefined>();
      const applied: string[] = [];
      const view = await bus.view({
        topic: stateTopic(ENV),
        apply(key, message) {
          applied.push(key);
          if (key === 'poison') throw new TypeError('broken');
          if (message) held.set(key, message.metadata.revision?.version);
          else held.delete(key);
        },
      });
      return { held, applied, view };
    };

    it('tells when it has applied what was there, then goes on', async () => {
      const { bus } = await start();
      await bus.publish([state('a', 1), state('b', 1), state('a', 2)]);
      const { held, view } = await watch(bus);
      await view.caughtUp;
      expect(Object.fromEntries(held)).toEqual({ a: 2, b: 1 });
      await bus.publish([state('c', 1)]);
      await until(() => held.get('c') === 1);
      expect(view.isReading).toBe(true);
      await view.close();
      expect(view.isReading).toBe(false);
    });

    it('has caught up with an empty topic at once', async () => {
      const { bus } = await start();
      const { held, view } = await watch(bus);
      await view.caughtUp;
      expect(held.size).toBe(0);
    });

    it('takes a tombstone for what it is', async () => {
      const { bus, inject } = await start();
      await bus.publish([state('a', 1), state('b', 1)]);
      const { held, view } = await watch(bus);
      await view.caughtUp;
      await inject(stateTopic(ENV), [{ key: 'a', headers: {}, value: null }]);
      await until(() => !held.has('a'));
      expect(Object.fromEntries(held)).toEqual({ b: 1 });
    });

    it('begins at the start again after a restart, and there is one in each place', async () => {
      const first = await start();
      await first.bus.publish([state('a', 1), state('b', 1)]);
      const before = await watch(first.bus);
      const beside = await watch(first.bus);
      await Promise.all([before.view.caughtUp, beside.view.caughtUp]);
      await first.bus.close();
      const { bus } = await first.reopen();
      const { held, view } = await watch(bus);
      await view.caughtUp;
      expect(Object.fromEntries(held)).toEqual({ a: 1, b: 1 });
    });

    it('passes over what it cannot read or apply, and tells', async () => {
      const { bus, inject } = await start();
      const reports = reportsOf(bus);
      await inject(stateTopic(ENV), [{ ...encode(state('a', 1)), value: text('{') }]);
      await bus.publish([state('poison', 1), state('b', 1)]);
      const { held, view } = await watch(bus);
      await view.caughtUp;
      expect(Object.fromEntries(held)).toEqual({ b: 1 });
      expect(reports).toMatchObject([
        { kind: 'passed-over', code: 'MESSAGE_NOT_JSON' },
        { kind: 'passed-over', code: 'BUS_FAILED' },
      ]);
    });

    it('applies nothing more once it is closed', async () => {
      const { bus } = await start();
      const { applied, view } = await watch(bus);
      await view.caughtUp;
      await view.close();
      const other = await watch(bus);
      await bus.publish([state('a', 1)]);
      await until(() => other.applied.length === 1);
      expect(applied).toEqual([]);
    });
  });
}
