import { expect, it } from '@jest/globals';
import { memoryBus } from '@tidegate/bus/testing';
import { flagDefinition, type SdkHeartbeat } from '@tidegate/contracts';
import { AppError } from '@tidegate/kernel';
import { eventually, manualClock, sequentialIds } from '@tidegate/kernel/testing';
import { embeddedCounts } from '../adoption/adoption-counts.embedded.ts';
import { Adoption } from '../adoption/adoption.handler.ts';
import { EnvironmentFlags } from '../view/environment-flags.ts';
import { SILENT_AFTER_MS } from './heartbeats.ts';
import { Instances, type InstancesContext } from './instances.handler.ts';

const environment = 'production';
const definition = flagDefinition.parse({
  type: 'boolean',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  offVariant: 'off',
  exposure: { variant: 'on', percentage: 0 },
});
const beat = (instance: string): SdkHeartbeat => ({ application: 'a', instance, applied: {} });

type Publish = InstancesContext['bus']['publish'];

function world() {
  const clock = manualClock(1_000_000);
  const ids = sequentialIds();
  const bus = memoryBus({ clock, ids });
  const flags = new EnvironmentFlags();
  flags.merge({ key: 'f', epoch: 1, version: 1, flag: { definition, salt: 's' } });
  const warnings: string[] = [];
  const log = { warn: (_: object, said: string) => warnings.push(said) } as never;
  const replica = async (publish: Publish = (messages) => bus.publish(messages)) => {
    const own = { clock, ids, log, bus: { publish } };
    const context = { name: 'flag-service', ...own, traceparent: () => undefined };
    const instances = new Instances(
      context,
      { find: async () => flags },
      new Adoption({ context, views: { find: async () => flags }, counts: embeddedCounts(0) }),
    );
    await instances.hearOthers(bus);
    return instances;
  };
  const heardBy = async (instances: Instances): Promise<unknown> => {
    await bus.idle();
    return instances.applied(environment, 'f');
  };
  return { clock, bus, replica, heardBy, warnings };
}

it('every replica knows of every instance, whichever of them it has told', async () => {
  const { bus, replica, heardBy } = world();
  const [a, b] = [await replica(), await replica()];
  await a.report(environment, beat('i-1'));
  await b.report(environment, beat('i-2'));
  await a.report(environment, beat('i-3'));
  for (const instances of [a, b, await replica()])
    expect(await heardBy(instances)).toMatchObject({ heard: 3 });
  await bus.close();
});

it('a replica that starts later does not take long silent instances for living ones', async () => {
  const { clock, bus, replica, heardBy } = world();
  await (await replica()).report(environment, beat('i-1'));
  clock.advance(SILENT_AFTER_MS + 1);
  expect(await heardBy(await replica())).toMatchObject({ heard: 0 });
  await bus.close();
});

it('an instance is answered at once while the bus is away, which is told once an outage', async () => {
  const { bus, replica, warnings } = world();
  const link = { answer: new Promise<void>(() => undefined) }; // a bus that does not answer
  const instances = await replica(() => link.answer);
  await instances.report(environment, beat('i-1'));
  expect(await instances.applied(environment, 'f')).toMatchObject({ heard: 1 });
  const say = async (answer: Promise<void>) => {
    link.answer = answer;
    await instances.report(environment, beat('i-1'));
    await bus.idle();
  };
  const away = () => Promise.reject(new AppError('BUS_UNREACHABLE', 'cut', { retryable: true }));
  for (let n = 0; n < 3; n += 1) await say(away());
  await eventually(() => warnings.length === 1);
  await say(Promise.resolve());
  await say(away());
  await eventually(() => warnings.length === 2);
  await bus.close();
});
