import { afterAll, beforeAll, describe, it, jest } from '@jest/globals';
import { brokerIsAway, brokerIsKilled, storeIsAway } from './away.ts';
import { publishIsLate } from './late-publish.ts';
import { logged } from './logs.file.ts';
import { isNightly } from './nightly.ts';
import { openProcessWorld, type ProcessWorld } from './process-world.ts';
import { everythingComesAgain } from './redelivery.ts';
import { everyoneIsRestarted } from './rolling-restart.ts';
import { hasServers } from './servers.ts';
import { gatekeepersAreKilled } from './silence.ts';
import { expectSound } from './sound.oracle.ts';

jest.setTimeout(300_000);

const flags = [
  'bystander',
  'broker-killed',
  'broker-away',
  'killed-meanwhile',
  'store-away',
  'late',
  'silent',
  'healthy',
  'broken',
] as const;

(hasServers ? describe : describe.skip)('a rollout under way', () => {
  let world: ProcessWorld;
  const opened = new AsyncDisposableStack();
  beforeAll(async () => {
    world = opened.use(await openProcessWorld(...flags));
  });
  afterAll(() => opened.disposeAsync());

  const story = (tell: () => Promise<void>) => () =>
    logged(world, async () => {
      await tell();
      await expectSound(world);
    });

  it(
    'survives a broker that is killed and comes back',
    story(() => brokerIsKilled(world, 'broker-killed')),
  );

  it(
    'survives a broker that is away: every service pages, a person kills a flag and both replicas show it',
    story(() => brokerIsAway(world, 'broker-away', 'killed-meanwhile')),
  );

  it(
    'survives a store that is killed and comes back',
    story(() => storeIsAway(world, 'store-away')),
  );

  it(
    'never shows a killed flag again because somebody publishes late',
    story(() => publishIsLate(world, 'late')),
  );

  (isNightly ? it : it.skip)(
    'closes by itself when every gatekeeper is killed and nobody looks after it',
    story(() => gatekeepersAreKilled(world, 'silent')),
  );

  it(
    'does nothing twice when everything is delivered again',
    story(() => everythingComesAgain(world)),
  );

  it(
    'survives that every process is restarted in turn, again and again',
    story(() => everyoneIsRestarted(world, { healthy: 'healthy', broken: 'broken' })),
  );
});
