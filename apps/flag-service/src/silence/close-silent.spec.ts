import type { ViewSource } from '@tidegate/bus';
import { type MemoryBus, memoryBus } from '@tidegate/bus/testing';
import {
  EnableFlag,
  flagDefinition,
  GatekeeperAlive,
  HoldFlag,
  type OutgoingMessage,
  PutEnvironment,
  PutFlag,
  ReleaseFlag,
  SetExposure,
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
import { flagCollection } from '../flag/flags.ts';
import { segmentCollection } from '../segment/segments.ts';
import { FlagViews } from '../view/flag-views.handler.ts';
import { CloseSilent } from './close-silent.handler.ts';
import { signsCollection } from './shared-signs.handler.ts';

const environment = 'production';
const key = 'checkout-v2';
const rollout = { id: 'r-1', generation: 1 };
const definition = flagDefinition.parse({
  type: 'boolean',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  offVariant: 'off',
  exposure: { variant: 'on', percentage: 0 },
});
const SILENCE_MS = 60_000;

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

/** What replicas share: the store's disk, the bus, a clock. */
function ambient() {
  const clock = manualClock(1_790_000_000_000);
  const ids = sequentialIds();
  const bus: MemoryBus = memoryBus({ clock, ids });
  closing.push(() => bus.close());
  return { clock, ids, disk: new MemoryDisk(), bus };
}
type Ambient = ReturnType<typeof ambient>;

/** A replica of flag-service, as far as flags go. While `link.isCut` it alone does not reach the bus. */
function replica({ clock, ids, disk, bus }: Ambient) {
  const link = { isCut: false };
  const must = (): void => {
    if (link.isCut) throw new AppError('BUS_UNREACHABLE', 'cut', { retryable: true });
  };
  const publish = async (messages: readonly OutgoingMessage[]): Promise<void> => {
    must();
    await bus.publish(messages);
  };
  const log: string[] = [];
  const logged = (_fields: unknown, text: string) => void log.push(text);
  const context = {
    name: 'flag-service',
    clock,
    ids,
    traceparent: () => undefined,
    log: { warn: logged, error: logged },
    bus: {
      publish,
      view: async (source: ViewSource) => {
        must();
        const apply: ViewSource['apply'] = (...record) => link.isCut || source.apply(...record);
        return bus.view({ ...source, apply });
      },
      check: async () => must(),
    },
  } as never;
  const store = memoryStore({ clock, disk });
  const outbox = createOutbox({ publish, faults: noFaults });
  const execute = createExecute({ outbox, ids, clock, source: 'flag-service', faults: noFaults });
  const flags = store.documents(flagCollection);
  const environments = createEnvironments(execute, store.documents(environmentCollection));
  const segments = store.documents(segmentCollection);
  const views = new FlagViews({ context, flags, segments, environments });
  const changeFlag = createChangeFlag({
    execute,
    flags,
    environments,
    known: async () => NOTHING,
    saved: (flag) => views.saved(flag),
  });
  const signs = store.documents(signsCollection);
  const silence = new CloseSilent({ context, views, flags, signs, changeFlag });
  const stop = async (): Promise<void> => {
    await silence.stop();
    await views.close();
  };
  closing.push(stop);
  return { link, log, context, views, environments, changeFlag, silence, signs, stop };
}
type Replica = ReturnType<typeof replica>;

function house() {
  const shared = ambient();
  const { clock, ids, bus } = shared;
  const replicas: Replica[] = [];
  const start = async (given: Partial<Ambient> = {}): Promise<Replica> => {
    const started = replica({ ...shared, ...given });
    await started.views.start(1_000);
    replicas.push(started);
    return started;
  };
  return {
    ...shared,
    replicas,
    start,
    async stop(which: Replica) {
      replicas.splice(replicas.indexOf(which), 1);
      await which.stop();
    },
    /** Second by second, as the loops do; whoever is alive says so every fifth. */
    async pass(ms: number, alive?: () => Record<string, number>) {
      for (let passed = 0; passed < ms; passed += 1_000) {
        clock.advance(1_000);
        if (alive && passed % 5_000 === 0) await bus.publish([beat({ clock, ids }, alive())]);
        await bus.idle();
        for (const { silence, views, link } of replicas) {
          if (link.isCut && passed % 2_000 === 0) await views.refresh();
          await silence.round();
          await silence.settled();
        }
      }
    },
    now: () => ({ 'r-1': clock.now() }),
  };
}

const beat = (ambient: Pick<Ambient, 'clock' | 'ids'>, lookedAfter: Record<string, number>) =>
  newMessage(
    { name: 'metrics-gatekeeper', traceparent: () => undefined, ...ambient },
    GatekeeperAlive,
    { instance: 'gate-1', running: 1, lookedAfter },
  );

/** A flag with a canary that closes if nobody looks after it for a minute. */
async function open({ changeFlag, context, environments }: Replica): Promise<void> {
  const ref = { environment, key };
  await environments.put(newMessage(context, PutEnvironment, { environment }));
  await changeFlag(newMessage(context, PutFlag, { ...ref, definition, salt: 's' }));
  await changeFlag(newMessage(context, HoldFlag, { ...ref, rollout }));
  const stage = { step: 'canary', percentage: 10_000 as never, closeIfSilentMs: SILENCE_MS };
  await changeFlag(newMessage(context, SetExposure, { ...ref, rollout, ...stage }));
}

async function opened() {
  const here = house();
  const one = await here.start();
  await open(one);
  await one.views.refresh();
  await here.bus.idle();
  return { ...here, one };
}

const disabled = async ({ views }: Replica) =>
  (await views.find(environment))?.get(key)?.flag?.disabled;

describe('a stage that nobody looks after', () => {
  it('closes itself, by flag-service, with the reason, and is told like any change', async () => {
    const { one, bus, pass, now } = await opened();
    await pass(30_000, now);
    await pass(SILENCE_MS - 5_000);
    expect(await disabled(one)).toBeUndefined();
    await pass(5_000);
    expect(await disabled(one)).toMatchObject({
      by: 'flag-service',
      reason: expect.stringMatching(
        /^metrics-gatekeeper has not looked after rollout r-1 for 1m\S*; stage canary closes itself$/,
      ),
    });
    const told = bus.records('flag.events').map(({ record }) => record.headers['ce_type']);
    expect(told.filter((type) => type === 'tidegate.flag.disabled.v1')).toHaveLength(1);
  });

  it('closes also if nobody has ever looked after it', async () => {
    const { one, pass } = await opened();
    await pass(SILENCE_MS + 2_000);
    expect(await disabled(one)).toBeDefined();
  });

  it('closes although the gatekeeper lives and looks after others', async () => {
    const { one, pass, clock } = await opened();
    await pass(SILENCE_MS + 2_000, () => ({ 'r-2': clock.now() }));
    expect(await disabled(one)).toBeDefined();
  });

  it('closes when its checks have stopped, although their last one is told again and again', async () => {
    const { one, pass, clock } = await opened();
    const last = clock.now();
    await pass(SILENCE_MS + 2_000, () => ({ 'r-1': last }));
    expect(await disabled(one)).toBeDefined();
  });

  it('closes once, whoever of two replicas comes first', async () => {
    const here = await opened();
    const two = await here.start();
    await here.pass(SILENCE_MS);
    here.clock.advance(2_000);
    await Promise.all([here.one.silence.round(), two.silence.round()]);
    await Promise.all([here.one.silence.settled(), two.silence.settled()]);
    const changes = here.bus
      .records('flag.events')
      .map(({ record: { headers } }) => headers)
      .filter((headers) => headers['ce_type'] === 'tidegate.flag.disabled.v1');
    expect(new Set(changes.map((headers) => headers['ce_id'])).size).toBe(1);
    expect([...here.one.log, ...two.log]).toEqual(['a stage that nobody looked after is closed']);
  });

  it('stays open while it is looked after, and once its rollout has let go', async () => {
    const { one, pass, now } = await opened();
    await pass(3 * SILENCE_MS, now);
    expect(await disabled(one)).toBeUndefined();
    const { changeFlag, context } = one;
    const release = { environment, key, rollout, reason: 'done' };
    await changeFlag(newMessage(context, ReleaseFlag, release));
    await pass(3 * SILENCE_MS);
    expect(await disabled(one)).toBeUndefined();
  });

  it('closes again when it is opened again and nobody looks after it again', async () => {
    const { one, pass } = await opened();
    const { changeFlag, context } = one;
    const ref = { environment, key };
    await pass(SILENCE_MS + 2_000);
    await changeFlag(newMessage(context, ReleaseFlag, { ...ref, reason: 'again' }));
    await changeFlag(newMessage(context, EnableFlag, { ...ref, reason: 'again' }));
    const again = { ...ref, rollout, closeIfSilentMs: SILENCE_MS };
    await changeFlag(newMessage(context, HoldFlag, again));
    await pass(SILENCE_MS - 2_000);
    expect(await disabled(one)).toBeUndefined();
    await pass(4_000);
    expect(await disabled(one)).toBeDefined();
  });
});

describe('a replica that hears nothing', () => {
  it('closes nothing that another one hears is looked after, and says so rarely', async () => {
    const here = await opened();
    const two = await here.start();
    await here.pass(5_000, here.now);
    two.link.isCut = true;
    await here.pass(4 * SILENCE_MS, here.now);
    for (const each of here.replicas) expect(await disabled(each)).toBeUndefined();
    const document = await here.one.signs.load('metrics-gatekeeper');
    expect(document?.version).toBeLessThanOrEqual(18);
  });

  it('closes what is silent when the bus is away for all, by the store alone', async () => {
    const here = await opened();
    const two = await here.start();
    await here.pass(5_000, here.now);
    for (const { link } of here.replicas) link.isCut = true;
    await here.pass(SILENCE_MS + 2_000);
    expect(await disabled(here.one)).toBeDefined();
    await two.views.refresh();
    expect(await disabled(two)).toBeDefined();
  });

  it('judges by the store when it starts without the bus, and counts on from before', async () => {
    const here = await opened();
    await here.pass(20_000, here.now);
    await here.stop(here.one);
    here.clock.advance(SILENCE_MS / 2);
    const next = replica(here);
    next.link.isCut = true;
    await next.views.start(1_000);
    here.replicas.push(next);
    await here.pass(20_000);
    expect(await disabled(next)).toBeUndefined();
    await here.pass(20_000);
    expect(await disabled(next)).toBeDefined();
  });

  it('reads what was said before it started, before it judges', async () => {
    const here = await opened();
    await here.stop(here.one);
    here.clock.advance(10 * SILENCE_MS);
    await here.bus.publish([beat(here, here.now())]);
    const slow = Promise.withResolvers<void>();
    const bus = Object.assign(Object.create(here.bus) as MemoryBus, {
      view: async (source: ViewSource) =>
        source.topic === GatekeeperAlive.topic
          ? { caughtUp: slow.promise, close: async () => slow.resolve() }
          : here.bus.view(source),
    });
    const next = await here.start({ bus });
    await here.pass(2 * SILENCE_MS);
    expect(await disabled(next)).toBeUndefined();
    slow.resolve();
    await here.pass(2_000);
    expect(await disabled(next)).toBeDefined();
  });

  it('listens first after it was suspended, or its clock was set forward', async () => {
    const { one, pass, now, clock } = await opened();
    await pass(30_000, now);
    clock.advance(10 * SILENCE_MS);
    await pass(5_000); // what was said meanwhile is still on its way
    await pass(20_000, now);
    expect(await disabled(one)).toBeUndefined();
  });

  it('closes nothing because its clock was set back, and set right again', async () => {
    const { one, pass, now, clock } = await opened();
    await pass(30_000, now);
    const right = clock.now();
    clock.advance(-10 * SILENCE_MS);
    await pass(2 * SILENCE_MS, () => ({ 'r-1': right }));
    expect(await disabled(one)).toBeUndefined();
    clock.advance(right - clock.now() + 10 * SILENCE_MS);
    await pass(5_000);
    await pass(20_000, now);
    expect(await disabled(one)).toBeUndefined();
  });
});
