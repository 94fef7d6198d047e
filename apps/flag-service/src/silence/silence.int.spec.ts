import { type MemoryBus, memoryBus } from '@tidegate/bus/testing';
import { definitionOf, GatekeeperAlive } from '@tidegate/contracts';
import { AppError } from '@tidegate/kernel';
import { eventually, manualClock } from '@tidegate/kernel/testing';
import { newMessage, randomIds } from '@tidegate/platform';
import { startTestService, type TestService } from '@tidegate/platform/testing';
import { memoryStore } from '@tidegate/store/testing';
import { describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { flagService } from '../index.ts';

const flag = '/v1/environments/test/flags/checkout-v2';
const ref = { environment: 'test', key: 'checkout-v2' };
const rollout = { id: 'r-1', generation: 1 };
const body = {
  type: 'boolean',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  offVariant: 'off',
  exposure: { variant: 'on', percentage: 0 },
};
/** Each takes a second or two of the real time in which the loops run. */
const STEP_MS = 8_000;
const PATIENCE_MS = 60_000;

function house() {
  const clock = manualClock(1_790_000_000_000);
  const store = memoryStore({ clock });
  const newBus = () => memoryBus({ clock, ids: randomIds });
  const services: TestService[] = [];
  return {
    clock,
    newBus,
    async start(bus: MemoryBus): Promise<TestService> {
      const service = await startTestService(flagService, { clock, store, bus });
      services.push(service);
      return service;
    },
    /** Within the time of the test: it takes long where the bus was away. */
    async end(): Promise<void> {
      await Promise.all(services.map((service) => service.stop()));
    },
    async stop(service: TestService): Promise<void> {
      services.splice(services.indexOf(service), 1);
      await service.stop();
    },
    /** Time goes on, and every replica has looked at what it means. */
    async step(): Promise<void> {
      clock.advance(STEP_MS);
      const rounds = await Promise.all(services.map(roundsOf));
      for (const [index, service] of services.entries())
        await eventually(
          async () => (await roundsOf(service)) >= Number(rounds[index]) + 2,
          30_000,
        );
    },
  };
}

async function roundsOf({ url }: TestService): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const runs = text.matchAll(/_loop_runs_total\{([^}]*)\} (\d+)/g);
  return [...runs]
    .filter(([, labels]) => labels?.includes('loop="flag-service.silence"'))
    .reduce((sum, [, , count]) => sum + Number(count), 0);
}

/** As the rollout r-1 does it. */
async function open(service: TestService, closeIfSilentMs: number): Promise<void> {
  await service.put('/v1/environments/test');
  await service.put(flag, body);
  await service.get('/v1/environments/test/snapshot'); // from now on its view is open
  const at = service.context.clock.now();
  const send = async (type: string, data: object): Promise<void> => {
    const topic = definitionOf(type)?.topic ?? '';
    const metadata = { source: 'gate', at, actor: 'rollout:r-1', correlationId: 'r-1' };
    await service.context.bus.publish([
      {
        type,
        topic,
        key: 'test/checkout-v2',
        data: { ...ref, rollout, ...data },
        metadata: { id: randomUUID(), ...metadata },
      },
    ]);
    await service.idle();
  };
  await send('HoldFlag', {});
  await send('SetExposure', { step: 'canary', percentage: 10_000, closeIfSilentMs });
}

async function say({ context, idle }: TestService): Promise<void> {
  const data = { instance: 'gate-1', running: 1, lookedAfter: { 'r-1': context.clock.now() } };
  await context.bus.publish([newMessage(context, GatekeeperAlive, data)]);
  await idle();
}

const disabled = async (service: TestService): Promise<unknown> =>
  (await service.get<{ flag: { disabled?: unknown } }>(flag)).body.flag.disabled;

describe('a stage that closes if nobody looks after it', () => {
  it(
    'shows the wish, stays open while somebody does, and then closes, while the bus is away as well',
    async () => {
      const { start, newBus, step, end } = house();
      const bus = newBus();
      const service = await start(bus);
      await open(service, 20_000);
      const { body: shown } = await service.get<object>(flag);
      expect(shown).toMatchObject({ flag: { hold: { watch: { closeIfSilentMs: 20_000 } } } });
      for (let count = 0; count < 4; count += 1) {
        await say(service);
        await step();
      }
      expect(await disabled(service)).toBeUndefined();

      const abort = new AbortController();
      const headers = { authorization: `Bearer ${service.keyOf('sdk', 'test')}` };
      const url = `${service.url}/v1/environments/test/stream`;
      const stream = await fetch(url, { headers, signal: abort.signal });
      let seen = '';
      const reading = (async () => {
        for await (const chunk of stream.body ?? []) seen += Buffer.from(chunk).toString();
      })().catch((error: unknown) => error);
      Object.assign(bus.log, {
        append: async () => {
          throw new AppError('BUS_UNREACHABLE', 'cut', { retryable: true });
        },
      });
      await step();
      await step();
      expect(seen).toContain('stage canary closes itself');
      Reflect.deleteProperty(bus.log, 'append');
      abort.abort();
      await reading;
      const history = await eventually(async () => {
        const found = JSON.stringify((await service.get(`${flag}/history`)).body);
        return found.includes('stage canary closes itself') && found;
      }, 20_000);
      expect(history).toContain('flag-service');
      await end();
    },
    PATIENCE_MS,
  );

  it(
    'stays open while another replica hears that it is looked after, and no longer',
    async () => {
      const { start, newBus, step, end } = house();
      const hearing = await start(newBus());
      await open(hearing, 20_000);
      const deaf = await start(newBus());
      for (let count = 0; count < 4; count += 1) {
        await say(hearing);
        await step();
      }
      expect(await disabled(deaf)).toBeUndefined();
      for (let count = 0; count < 3; count += 1) await step();
      expect(await disabled(deaf)).toMatchObject({ by: 'flag-service' });
      await end();
    },
    PATIENCE_MS,
  );

  it(
    'is counted on by a flag-service that was down itself, from the last word that it had heard',
    async () => {
      const { start, stop, newBus, step, end, clock } = house();
      const first = await start(newBus());
      await open(first, 60_000);
      for (let count = 0; count < 3; count += 1) {
        await say(first);
        await step();
      }
      await stop(first); // at 24 s; the last word was at 16 s
      clock.advance(30_000);
      const second = await start(newBus());
      await step();
      await step();
      expect(await disabled(second)).toBeUndefined(); // at 70 s
      await step();
      expect(await disabled(second)).toMatchObject({ by: 'flag-service' }); // at 78 s
      await end();
    },
    PATIENCE_MS,
  );
});
