import { afterAll, afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type MemoryBus, memoryBus } from '@tidegate/bus/testing';
import { DisableFlag, PutEnvironment } from '@tidegate/contracts';
import { AppError, type Decider } from '@tidegate/kernel';
import { eventually } from '@tidegate/kernel/testing';
import { memoryStore } from '@tidegate/store/testing';
import { openServerIfAny, type Server } from '../../../../test/servers/servers.ts';
import { type Delivery, openReceiver } from '../../../../test/e2e/receiver.ts';
import { newMessage } from '../http/command.ts';
import { startService } from '../lifecycle/start-service.nest.ts';
import { defineService, type ServiceContext } from '../service.ts';
import { randomIds, systemClock } from '../system-clock.ts';
import { startTestService } from '../test-service.nest.ts';
import { tinyService } from '../tiny-service.nest.ts';
import { heldTimers } from '../bus/held-timers.memory.ts';

const ambient = { clock: systemClock, ids: randomIds };
const AFTER_MS = 200;

let receiver: Awaited<ReturnType<typeof openReceiver>>;
beforeEach(async () => {
  receiver = await openReceiver();
});
afterEach(async () => {
  await receiver[Symbol.asyncDispose]();
});
const env = () => ({ ...receiver.pager, PAGER_AFTER_MS: String(AFTER_MS) });
const told = () => receiver.deliveries.map(({ thread, status }) => `${thread} ${status}`);
/** In the order they came: of the thread, `firing` and `resolved`. */
const pages = (thread: string): readonly Delivery[] =>
  receiver.deliveries.filter((each) => each.thread === thread);

/** A bus that can be away, as far as this process can tell. */
function breakableBus(): { bus: MemoryBus; away(isAway: boolean): void } {
  const bus = memoryBus(ambient);
  const { publish, check } = { publish: bus.publish.bind(bus), check: bus.check.bind(bus) };
  let isAway = false;
  const reach = (): void => {
    if (isAway)
      throw new AppError('BUS_UNREACHABLE', 'The brokers did not answer.', { retryable: true });
  };
  Object.assign(bus, {
    publish: async (messages: Parameters<typeof publish>[0]) => (reach(), publish(messages)),
    check: async () => (reach(), check()),
  });
  return { bus, away: (next) => void (isAway = next) };
}

/** Decides what it is told to, as a gatekeeper does in an outage. */
function killer() {
  let kill: ((key: string) => Promise<unknown>) | undefined;
  const decider: Decider<
    object,
    PutEnvironment,
    { type: 'DisableFlag'; data: DisableFlag['data'] }
  > = {
    initial: {},
    decide: ({ data }) => [
      {
        type: DisableFlag.type,
        data: { environment: 'test', key: data.environment, reason: 'it hurts' },
      },
    ],
    evolve: (state) => state,
  };
  const tiny = tinyService();
  return {
    kill: (key: string) => kill?.(key),
    definition: defineService({
      ...tiny,
      module: (context: ServiceContext, config) => {
        const documents = context.store.documents<object>({
          name: 'kills',
          schemaVersion: 1,
          index: () => ({}),
        });
        kill = (key) =>
          context.execute(
            { documents, decider },
            key,
            newMessage(context, PutEnvironment, { environment: key }),
          );
        context.onPage(() => 'It looks after 2 rollouts.');
        return tiny.module(context, config);
      },
    }),
  };
}

describe('a service whose bus is away', () => {
  it('has a person paged once, with what waits and what to do, and told when it is over', async () => {
    const { bus, away } = breakableBus();
    const { kill, definition } = killer();
    const service = await startTestService(definition, { bus, env: env() });
    away(true);
    await kill('checkout');
    await eventually(() => pages('tiny-service/bus-away').length === 1);
    await eventually(() => pages('tiny-service/kill-waits').length === 1);
    expect(pages('tiny-service/bus-away')).toMatchObject([
      {
        status: 'firing',
        severity: 'critical',
        title: 'tiny-service cannot reach the bus',
        text: expect.stringMatching(
          /sqlite:.*bus.db.*The brokers did not answer\..*DisableFlag of test\/checkout\. By hand:\ntidegate flag disable checkout --env test --reason 'by hand, after a page'\nIt looks after 2 rollouts\./,
        ),
        labels: {
          service: 'tiny-service',
          condition: 'bus-away',
          instance: service.context.instance,
        },
      },
    ]);
    const health = await service.get<{ checks: object[] }>('/health/ready');
    expect(health.status).toBe(200);
    expect(health.body.checks).toContainEqual(
      expect.objectContaining({
        name: 'pager',
        status: 'up',
        required: false,
        details: {
          receiver: new URL(receiver.pager['PAGER_WEBHOOK_URL'] ?? '').host,
          firing: expect.arrayContaining(['bus-away', 'kill-waits']),
          waiting: 0,
        },
      }),
    );
    away(false);
    await eventually(() => receiver.deliveries.length === 4);
    expect(told().toSorted()).toEqual([
      'tiny-service/bus-away firing',
      'tiny-service/bus-away resolved',
      'tiny-service/kill-waits firing',
      'tiny-service/kill-waits resolved',
    ]);
    expect(new Set(receiver.deliveries.map(({ id }) => id)).size).toBe(4);
    expect(receiver.unsigned).toBe(0);
    const { text } = await service.get('/metrics');
    expect(text).toContain('tidegate_pager_configured 1');
    expect(text).toContain('tidegate_pager_firing_conditions 0');
    expect(text).toContain('tidegate_pager_pages_total{condition="bus-away",kind="fired"} 1');
    expect(text).toContain('tidegate_pager_attempts_total{outcome="delivered"} 4');
  });
});

describe('a service whose store is away', () => {
  it('has a person paged, though nothing can be written down', async () => {
    const store = memoryStore(ambient);
    await startTestService(tinyService(), { store, env: env() });
    store.disk.away = true;
    await eventually(() => told().includes('tiny-service/store-away firing'));
    store.disk.away = false;
    await eventually(() => told().includes('tiny-service/store-away resolved'));
    expect(told()).toHaveLength(2);
  });
});

describe('a kill that cannot be carried out', () => {
  const killing = (error: () => unknown) => ({
    ...tinyService({
      enter: (what) => {
        if (what === 'message') throw error();
      },
    }),
  });

  it('has a person paged at once when it is given up', async () => {
    const { bus } = breakableBus();
    const service = await startTestService(
      killing(() => new TypeError('no such thing')),
      { bus, env: env() },
    );
    // As the consumer of kills would: the tiny service has none of its own.
    await bus.subscribe({
      group: 'tiny-service.kills',
      topics: ['kills'],
      types: new Set([DisableFlag.type]),
      handle: async () => {
        throw new TypeError('no such thing');
      },
    });
    const data = { environment: 'test', key: 'checkout', reason: 'it hurts' };
    await bus.publish([newMessage(service.context, DisableFlag, data)]);
    await eventually(() => told().includes('tiny-service/kill-given-up firing'));
    expect(pages('tiny-service/kill-given-up')).toMatchObject([
      {
        severity: 'critical',
        text: expect.stringMatching(
          /^Given up: DisableFlag of test\/checkout, letter tiny-service\.kills:kills:1:0:0 \(TypeError: no such thing\)\. It is not carried out\. By hand:\ntidegate flag disable checkout --env test/,
        ),
      },
    ]);
    expect(told()).toHaveLength(1);
  });

  it('has a person paged at once when it waits, and told when it is carried out', async () => {
    const bus = memoryBus({ ...ambient, policy: { lagDeadlineMs: 50, firstRetryMs: 10 } });
    const service = await startTestService(tinyService(), { bus, env: env() });
    let isBroken = true;
    await bus.subscribe({
      group: 'tiny-service.kills',
      topics: ['kills'],
      types: new Set([DisableFlag.type]),
      handle: async () => {
        if (isBroken)
          throw new AppError('STORE_UNREACHABLE', 'The store is away.', { retryable: true });
      },
    });
    const data = { environment: 'test', key: 'checkout', reason: 'it hurts' };
    await bus.publish([newMessage(service.context, DisableFlag, data)]);
    const thread = 'tiny-service/consumer-lags/tiny-service.kills/kills';
    await eventually(() => told().includes(`${thread} firing`));
    isBroken = false;
    await eventually(() => told().includes(`${thread} resolved`));
    expect(told()).toEqual([`${thread} firing`, `${thread} resolved`]);
    expect(pages(thread)[0]?.title).toBe('tiny-service cannot carry out a kill');
  });
});

it('a process that must end tells so before it does', async () => {
  const { promise: never, resolve: open } = Promise.withResolvers<void>();
  const timers = heldTimers();
  let toldBefore: readonly string[] | undefined;
  const service = await startTestService(
    tinyService({ enter: (what) => (what === 'message' ? never : undefined) }),
    {
      bus: memoryBus({ ...ambient, timer: timers.timer }),
      env: env(),
      start: { endProcess: () => (toldBefore ??= told()) },
    },
  );
  await service.context.bus.publish([
    newMessage(service.context, PutEnvironment, { environment: 'test' }),
  ]);
  await eventually(() => timers.held() > 0);
  timers.pass();
  expect(await eventually(() => toldBefore)).toEqual(['tiny-service/process-ends firing']);
  expect(receiver.deliveries[0]?.text).toMatch(
    /^A handler of tiny-service on flag.commands is stuck: PutEnvironment .* nothing is lost\.$/,
  );
  open();
});

it('a service that cannot start for want of its store tells so, once however often it is started', async () => {
  const broken = {
    ...tinyService(),
    module: () => {
      throw new AppError('STORE_UNREACHABLE', 'No server answered.', { retryable: true });
    },
  };
  for (let time = 0; time < 2; time += 1)
    await expect(startTestService(broken, { env: env() })).rejects.toThrow('No server answered.');
  expect(told()).toEqual(Array.from({ length: 2 }, () => 'tiny-service/cannot-start firing'));
  expect(new Set(receiver.deliveries.map(({ id }) => id)).size).toBe(1);
  expect(receiver.deliveries[0]?.text).toContain('tiny-service cannot start: No server answered.');
});

it('pages that cannot be delivered hold nothing up, show in health and metrics, and arrive later', async () => {
  const store = memoryStore(ambient);
  let isDeaf = true;
  await using listener = await openReceiver(() => isDeaf);
  const service = await startTestService(tinyService(), {
    store,
    env: { ...env(), ...listener.pager },
  });
  store.disk.away = true;
  const pager = async () => {
    const { body } = await service.get<{ checks: { name: string }[] }>('/health/ready');
    return body.checks.find(({ name }) => name === 'pager');
  };
  await eventually(async () => {
    expect(await pager()).toMatchObject({
      status: 'down',
      required: false,
      message: 'The receiver answered 503. 1 pages wait.',
    });
    return true;
  });
  const { text } = await service.get('/metrics');
  expect(text).toMatch(/tidegate_pager_attempts_total\{outcome="failed"\} \d/);
  expect(text).not.toContain('loop="pager",outcome="failed"');
  isDeaf = false;
  await eventually(() => listener.deliveries.length > 0);
  expect(await pager()).toMatchObject({ status: 'up' });
  store.disk.away = false;
});

const kafka: Server | undefined = await openServerIfAny('kafka', { own: true });
afterAll(() => kafka?.stop());
jest.setTimeout(60_000);

(kafka ? describe : describe.skip)('a service on Kafka', () => {
  it('has a person paged while Kafka is gone, also for a kill that hangs in it, and told once it is back', async () => {
    const place = await startTestService(tinyService(), { drivers: 'sqlite' });
    const { kill, definition } = killer();
    const service = await startService(definition, {
      env: {
        ...env(),
        PAGER_AFTER_MS: '2000',
        BUS_URL: `kafka://${kafka?.url}?replication=1`,
        STORE_URL: `sqlite:${place.folder}/on-kafka.db`,
        DATA_DIR: place.folder,
        ADMIN_API_KEY: place.key ?? '',
        LOG_LEVEL: 'silent',
      },
      port: 0,
    });
    const [bus, kills] = ['tiny-service/bus-away', 'tiny-service/kill-waits'] as const;
    try {
      await kafka?.kill();
      const killed = kill('checkout');
      await eventually(() => pages(bus).length > 0 && pages(kills).length > 0, 20_000);
      expect(pages(bus)[0]?.text).toContain(`(kafka://${kafka?.url})`);
      expect(pages(kills)[0]?.text).toContain(
        'By hand:\ntidegate flag disable checkout --env test',
      );
      await killed;
      await kafka?.restart();
      await eventually(() => receiver.deliveries.length === 4, 30_000);
      const statuses = (thread: string) => pages(thread).map(({ status }) => status);
      expect(statuses(bus)).toEqual(['firing', 'resolved']);
      expect(statuses(kills)).toEqual(['firing', 'resolved']);
    } finally {
      await service.stop();
    }
  });

  it('says at its start if nobody would be paged', async () => {
    const log: string[] = [];
    const quiet = await startTestService(tinyService());
    expect(quiet.log.some(({ msg }) => String(msg).startsWith('nobody is paged'))).toBe(false);
    expect((await quiet.get('/metrics')).text).toContain('tidegate_pager_configured 0');
    const { context } = quiet;
    const shared = { bus: context.bus, store: context.store, log: context.log };
    const env = {
      BUS_URL: `kafka://${kafka?.url}`,
      STORE_URL: 'sqlite:unused',
      ADMIN_API_KEY: quiet.key,
    };
    const other = { ...tinyService(), name: 'other-service' };
    await (await startService(other, { env, shared, port: 0 })).stop();
    log.push(...quiet.log.map(({ msg }) => String(msg)));
    expect(log).toContain(
      'nobody is paged when the bus or the store is away: PAGER_WEBHOOK_URL is not set',
    );
  });
});
