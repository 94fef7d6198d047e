import type { ViewSource } from '@tidegate/bus';
import { MemoryFile, memoryBus } from '@tidegate/bus/testing';
import {
  flagDefinition,
  type FlagState,
  type OutgoingMessage,
  PutEnvironment,
  PutFlag,
  PutSegment,
  segmentDefinition,
  stateTopic,
} from '@tidegate/contracts';
import { AppError } from '@tidegate/kernel';
import { manualClock, sequentialIds } from '@tidegate/kernel/testing';
import { newMessage } from '@tidegate/platform';
import { createExecute, createOutbox, noFaults } from '@tidegate/store';
import { MemoryDisk, memoryStore } from '@tidegate/store/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createEnvironments, environmentCollection } from '../environment/environments.handler.ts';
import { NOTHING } from '../reference/known.ts';
import { createChangeFlag } from '../flag/change-flag.handler.ts';
import { createReferences } from '../reference/references.handler.ts';
import { createChangeSegment } from '../segment/change-segment.handler.ts';
import { flagCollection } from '../flag/flags.ts';
import { segmentCollection } from '../segment/segments.ts';
import { FlagViews } from './flag-views.handler.ts';

const environment = 'production';
const topic = stateTopic(environment);
const definition = flagDefinition.parse({
  type: 'boolean',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  offVariant: 'off',
  exposure: { variant: 'on', percentage: 0 },
});

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

/** What replicas share: the store's disk, the bus's file, a clock. */
function world() {
  const clock = manualClock(1_000_000);
  const ids = sequentialIds();
  const disk = new MemoryDisk();
  const bus = memoryBus({ clock, ids, file: new MemoryFile() });
  closing.push(() => bus.close());
  return { clock, ids, disk, bus };
}

/** One replica of flag-service, as far as flags go. While `link.isCut` it cannot reach the bus. */
function replica({ clock, ids, disk, bus }: ReturnType<typeof world>) {
  const link = { isCut: false };
  const reach =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (link.isCut) throw new AppError('BUS_UNREACHABLE', 'cut', { retryable: true });
      return call(...args);
    };
  const publish = reach((messages: readonly OutgoingMessage[]) => bus.publish(messages));
  const store = memoryStore({ clock, disk });
  const outbox = createOutbox({ publish, faults: noFaults });
  const execute = createExecute({ outbox, ids, clock, source: 'flag-service', faults: noFaults });
  const warnings: string[] = [];
  const context = {
    name: 'flag-service',
    clock,
    ids,
    traceparent: () => undefined,
    bus: {
      publish,
      view: reach((source: ViewSource) => bus.view(source)),
      check: reach(() => bus.check()),
    },
    log: { warn: (_fields: object, message: string) => warnings.push(message) },
  } as never;
  const flags = store.documents(flagCollection);
  const environments = createEnvironments(execute, store.documents(environmentCollection));
  const segments = store.documents(segmentCollection);
  const views = new FlagViews({ context, flags, segments, environments });
  closing.push(() => views.close());
  const changeFlag = createChangeFlag({
    execute,
    flags,
    environments,
    known: async () => NOTHING,
    saved: (flag) => views.saved(flag),
  });
  const changeSegment = createChangeSegment({
    execute,
    segments,
    environments,
    references: createReferences(flags, segments),
    saved: (segment) => views.savedSegment(segment),
  });
  return {
    link,
    views,
    warnings,
    putSegment: (key: string, ...members: string[]) =>
      changeSegment(
        newMessage(context, PutSegment, {
          environment,
          key,
          definition: segmentDefinition.parse({ members }),
        }),
      ),
    async membersOf(key: string) {
      const held = (await views.find(environment))?.segment(key);
      return held?.segment?.definition.members;
    },
    makeEnvironment: () => environments.put(newMessage(context, PutEnvironment, { environment })),
    put: (key: string, owner: string) =>
      changeFlag(
        newMessage(context, PutFlag, {
          environment,
          key,
          definition: { ...definition, owner },
          salt: 'salt',
        }),
      ),
    async ownerOf(key: string) {
      return (await views.find(environment))?.get(key)?.flag?.definition.owner;
    },
  };
}

/** The last record of each key in the topic. */
const inTopic = (bus: ReturnType<typeof world>['bus']) =>
  Object.fromEntries(
    bus
      .records(topic)
      .map(({ record: { key, headers, value } }) => [
        key,
        [
          headers['ce_epoch'],
          headers['ce_version'],
          JSON.parse(Buffer.from(value ?? []).toString()),
        ],
      ]),
  ) as Record<string, [string, string, FlagState['data']]>;

async function withFlag(shared = world()) {
  const first = replica(shared);
  await first.makeEnvironment();
  await first.put('checkout', 'ada');
  return { shared, first };
}

describe('a replica that starts', () => {
  it('holds every flag of the store', async () => {
    const { shared } = await withFlag();
    const next = replica(shared);
    await next.views.start(1_000);
    expect(await next.ownerOf('checkout')).toBe('ada');
    expect(next.views.check()).toEqual({ environments: 1, flags: 1 });
  });

  it('serves what the store has while the bus is away, and follows the bus when it is back', async () => {
    const { shared, first } = await withFlag();
    const next = replica(shared);
    next.link.isCut = true;
    await next.views.start(1_000);
    expect(await next.ownerOf('checkout')).toBe('ada');
    next.link.isCut = false;
    await next.views.refresh();
    await first.put('checkout', 'bo');
    await shared.bus.idle();
    expect(await next.ownerOf('checkout')).toBe('bo');
  });

  it('does not wait for ever for a bus that does not answer', async () => {
    const { shared } = await withFlag();
    const next = replica({
      ...shared,
      bus: Object.assign(Object.create(shared.bus), {
        view: async () => ({
          caughtUp: new Promise(() => undefined),
          close: async () => undefined,
        }),
      }),
    });
    await next.views.start(1);
    expect(next.warnings).toEqual([expect.stringContaining('does not answer')]);
    expect(await next.ownerOf('checkout')).toBe('ada');
  });

  it('refuses when the store was put back to an earlier state, and says what to do', async () => {
    const { shared, first } = await withFlag();
    const backup = structuredClone(shared.disk.documents);
    await first.put('checkout', 'bo');
    await shared.bus.idle();
    Object.assign(shared.disk, { documents: backup });
    await expect(replica(shared).views.start(1_000)).rejects.toMatchObject({
      code: 'FLAG_STORE_BEHIND',
      message: expect.stringContaining('tidegate store restored'),
    });
  });

  it('gives every view what the store has, once it is of a newer epoch', async () => {
    const { shared, first } = await withFlag();
    const backup = structuredClone(shared.disk.documents);
    await first.put('checkout', 'bo');
    await shared.bus.idle();
    Object.assign(shared.disk, { documents: backup, epoch: 2 });
    const next = replica(shared);
    await next.views.start(1_000);
    expect(await next.ownerOf('checkout')).toBe('ada');
    await next.views.refresh();
    expect(inTopic(shared.bus)['checkout']).toMatchObject([
      '2',
      '1',
      { flag: { definition: { owner: 'ada' } } },
    ]);
  });

  it('does not take a change that another replica makes meanwhile for a restored store', async () => {
    const { shared, first } = await withFlag();
    const next = replica({
      ...shared,
      bus: Object.assign(Object.create(shared.bus), {
        async view(source: ViewSource) {
          await first.put('checkout', 'bo');
          return shared.bus.view(source);
        },
      }),
    });
    await next.views.start(1_000);
    expect(await next.ownerOf('checkout')).toBe('bo');
  });
});

describe('a replica that runs', () => {
  it('holds what it has saved at once, bus or no bus', async () => {
    const { first } = await withFlag();
    await first.views.start(1_000);
    first.link.isCut = true;
    expect(await first.put('checkout', 'bo')).toMatchObject({ published: false });
    expect(await first.ownerOf('checkout')).toBe('bo');
  });

  it('hears of the changes of others through the topic', async () => {
    const { shared, first } = await withFlag();
    const other = replica(shared);
    await other.views.start(1_000);
    await first.put('checkout', 'bo');
    await shared.bus.idle();
    expect(await other.ownerOf('checkout')).toBe('bo');
  });

  it('reads the store while the bus is away, and once more when it is back', async () => {
    const { shared, first } = await withFlag();
    const other = replica(shared);
    await other.views.start(1_000);
    first.link.isCut = true;
    other.link.isCut = true;
    await first.put('checkout', 'bo');
    expect(await other.ownerOf('checkout')).toBe('ada');
    await other.views.refresh();
    expect(await other.ownerOf('checkout')).toBe('bo');
    await first.put('checkout', 'cy');
    other.link.isCut = false;
    await other.views.refresh();
    expect(await other.ownerOf('checkout')).toBe('cy');
  });

  it('learns from the store what a reader that has stopped in silence does not tell', async () => {
    const { shared, first } = await withFlag();
    const deaf = async () => ({ caughtUp: Promise.resolve(), close: async () => undefined });
    const check = () => shared.bus.check();
    const other = replica({
      ...shared,
      bus: Object.assign(Object.create(shared.bus), { view: deaf, check }),
    });
    await other.views.start(1_000);
    await first.put('checkout', 'bo');
    shared.clock.advance(10_000);
    await other.views.refresh();
    expect(await other.ownerOf('checkout')).toBe('bo');
  });

  it('finds an environment that another replica has made', async () => {
    const shared = world();
    const other = replica(shared);
    await other.views.start(1_000);
    expect(await other.views.find(environment)).toBeUndefined();
    await withFlag(shared);
    expect(await other.ownerOf('checkout')).toBe('ada');
    expect((await replica(shared).views.find(environment))?.records()).toHaveLength(1);
  });

  it('publishes the newer state where a late publish came after it', async () => {
    const { shared, first } = await withFlag();
    await first.views.start(1_000);
    await first.put('checkout', 'bo');
    await shared.bus.idle();
    const [, , data] = inTopic(shared.bus)['checkout'] ?? [];
    await shared.bus.publish([
      {
        type: 'FlagState',
        topic,
        key: 'checkout',
        data: { ...data, flag: { definition: { ...definition, owner: 'late' }, salt: 'salt' } },
        metadata: {
          id: 'late',
          source: 'flag-service',
          at: 1,
          actor: 'flag-service',
          correlationId: 'late',
          revision: { epoch: 1, version: 1 },
        },
      },
    ]);
    await shared.bus.idle();
    expect(await first.ownerOf('checkout')).toBe('bo');
    shared.clock.advance(60_000);
    await first.views.refresh();
    expect(inTopic(shared.bus)['checkout']).toMatchObject([
      '1',
      '2',
      { flag: { definition: { owner: 'bo' } } },
    ]);
  });

  it('gives everything to a topic that was made anew', async () => {
    const { shared, first } = await withFlag();
    await first.putSegment('beta', 'ada');
    const bus = memoryBus({ ...shared, file: new MemoryFile() });
    closing.push(() => bus.close());
    const next = replica({ ...shared, bus });
    await next.views.start(1_000);
    await next.views.refresh();
    await bus.idle();
    expect(Object.keys(inTopic(bus)).toSorted()).toEqual(['checkout', 'segments/beta']);
  });

  it('publishes nothing where the topic has it all', async () => {
    const { shared, first } = await withFlag();
    await first.views.start(1_000);
    const before = shared.bus.records(topic).length;
    shared.clock.advance(60_000);
    await first.views.refresh();
    expect(shared.bus.records(topic)).toHaveLength(before);
  });

  it('leaves the publishing of a change to whoever has just made it', async () => {
    const { shared, first } = await withFlag();
    await first.views.start(1_000);
    first.link.isCut = true;
    await first.put('checkout', 'bo');
    first.link.isCut = false;
    await first.views.refresh();
    expect(inTopic(shared.bus)['checkout']?.[1]).toBe('1');
    shared.clock.advance(60_000);
    await first.views.refresh();
    expect(inTopic(shared.bus)['checkout']?.[1]).toBe('2');
  });
});

describe('segments', () => {
  async function withSegment() {
    const { shared, first } = await withFlag();
    await first.putSegment('beta', 'ada');
    await first.views.start(1_000);
    await shared.bus.idle();
    return { shared, first };
  }

  it('are held by who starts and by who runs, bus or no bus', async () => {
    const { shared, first } = await withSegment();
    const other = replica(shared);
    await other.views.start(1_000);
    expect(await other.membersOf('beta')).toEqual(['ada']);
    await first.putSegment('beta', 'bo');
    await shared.bus.idle();
    expect(await other.membersOf('beta')).toEqual(['bo']);
    first.link.isCut = true;
    other.link.isCut = true;
    await first.putSegment('beta', 'cy');
    expect(await first.membersOf('beta')).toEqual(['cy']);
    await other.views.refresh();
    expect(await other.membersOf('beta')).toEqual(['cy']);
  });

  it('may be named as a flag is', async () => {
    const { shared, first } = await withSegment();
    await first.putSegment('checkout', 'bo');
    const other = replica(shared);
    await other.views.start(1_000);
    expect(await other.membersOf('checkout')).toEqual(['bo']);
    expect(await other.ownerOf('checkout')).toBe('ada');
  });

  it('are published again where the topic lacks their newest state', async () => {
    const { shared, first } = await withSegment();
    first.link.isCut = true;
    await first.putSegment('beta', 'bo');
    first.link.isCut = false;
    shared.clock.advance(60_000);
    await first.views.refresh();
    await shared.bus.idle();
    expect(inTopic(shared.bus)['segments/beta']).toMatchObject([
      '1',
      '2',
      { key: 'beta', segment: { definition: { members: ['bo'] } } },
    ]);
  });

  it('that the store has lost keep a replica from starting', async () => {
    const { shared, first } = await withSegment();
    const backup = structuredClone(shared.disk.documents);
    await first.putSegment('beta', 'bo');
    await shared.bus.idle();
    Object.assign(shared.disk, { documents: backup });
    await expect(replica(shared).views.start(1_000)).rejects.toMatchObject({
      code: 'FLAG_STORE_BEHIND',
      message: expect.stringContaining('segment beta in production'),
    });
  });
});

describe('a replica', () => {
  /** Everything that is served, as the snapshot has it. */
  const served = async ({ views }: ReturnType<typeof replica>) =>
    (await views.find(environment))?.snapshot();

  it('never goes back, in whatever order its sources bring what happened', async () => {
    const { shared, first } = await withFlag();
    await first.views.start(1_000);
    const states: OutgoingMessage[] = [];
    for (const owner of ['bo', 'cy', 'di']) {
      await first.put('checkout', owner);
      await shared.bus.idle();
    }
    for (const [, record] of shared.bus.records(topic).entries()) {
      const { headers, value } = record.record;
      states.push({
        type: 'FlagState',
        topic,
        key: 'checkout',
        data: JSON.parse(Buffer.from(value ?? []).toString()),
        metadata: {
          id: `again-${String(headers['ce_version'])}`,
          source: 'flag-service',
          at: 1,
          actor: 'flag-service',
          correlationId: 'again',
          revision: { epoch: 1, version: Number(headers['ce_version']) },
        },
      });
    }
    const seen: (number | undefined)[] = [];
    const flags = await first.views.find(environment);
    flags?.onChange(() => seen.push(flags.get('checkout')?.version));
    await shared.bus.publish(states.toReversed());
    await shared.bus.publish(states);
    await shared.bus.idle();
    await first.views.refresh();
    expect(seen).toEqual([]);
    expect(await first.ownerOf('checkout')).toBe('di');
  });

  it('answers as any other that holds the same versions', async () => {
    const { shared, first } = await withFlag();
    await first.putSegment('beta', 'ada');
    await first.put('search', 'bo');
    const [a, b] = [replica(shared), replica(shared)];
    await a.views.start(1_000);
    b.link.isCut = true;
    await b.views.start(1_000);
    expect(await served(a)).toEqual(await served(b));
  });

  it('goes by versions, not by clocks: a state from the past replaces nothing newer', async () => {
    const { shared, first } = await withFlag();
    const other = replica(shared);
    await other.views.start(1_000);
    shared.clock.advance(-3_600_000);
    await first.put('checkout', 'bo');
    await shared.bus.idle();
    expect(await other.ownerOf('checkout')).toBe('bo');
  });
});
