import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { isOver } from '../e2e/house.ts';
import { type Case, matrix, someOf, titleOf } from './kill-matrix.ts';
import { logged } from './logs.file.ts';
import { isNightly } from './nightly.ts';
import { openProcessWorld, type ProcessWorld } from './process-world.ts';
import { seeded } from './random.ts';
import { hasServers } from './servers.ts';
import { expectSound } from './sound.oracle.ts';
import { begin, breach, rolledBackOnce, rolloutInTheEnd, watched } from './told.ts';

const SEED = Number(process.env['FAULT_SEED'] ?? Date.now() % 100_000);
const CASES_OF_NPM_TEST = 4;
const ORDERS = 60;

jest.setTimeout(300_000);

const random = seeded(SEED);
const drawn = isNightly ? matrix : someOf(random, CASES_OF_NPM_TEST);
const cases = drawn.map((each, index) => ({
  ...each,
  nth: 1 + Math.floor(random() * each.times),
  flag: `flag-${index}`,
  title: titleOf(each),
}));
type Drawn = (typeof cases)[number];

/** Needs the orders' totals first. */
const migrating = (flag: string): string => `
plan: ${flag}
flag: ${flag}
steps:
  - { migrate: order-totals, action: execute, batchSize: 10 }
  - { stage: all, percentage: 100, hold: 300ms }
`;

/** Breached from outside, it goes back; told once, decided once. */
async function rolledBack({ house }: ProcessWorld, flag: string): Promise<void> {
  const id = await begin(house(), flag, watched(flag));
  await rolloutInTheEnd(house(), id, ({ phase }) => phase === 'open');
  await breach(house(), id);
  await rolledBackOnce(house(), id);
}

async function migrated({ house, orders }: ProcessWorld, flag: string): Promise<void> {
  orders.add(ORDERS);
  const id = await begin(house(), flag, migrating(flag));
  const rollout = await rolloutInTheEnd(house(), id, isOver, 180_000);
  expect(rollout).toMatchObject({ status: 'completed', exposure: '100 %' });
  expect(orders.wrong()).toEqual([]);
}

/** Tells the story of a rollout while the service is killed at the point and started again. */
async function killedAt(world: ProcessWorld, fault: Drawn): Promise<void> {
  const { service, point, document, nth, flag } = fault;
  const house = world.house();
  house.arm(service, { point, document, nth, signal: 'SIGKILL' });
  const tell = service === 'migration-runner' ? migrated : rolledBack;
  const story = tell(world, flag);
  const restarted = house.killedItself(service).then((dead) => dead.start());
  await Promise.all([story, restarted]);
  await expectSound(world);
}

(hasServers ? describe : describe.skip)('services that are killed and started again', () => {
  let world: ProcessWorld;
  const opened = new AsyncDisposableStack();
  beforeAll(async () => {
    world = opened.use(await openProcessWorld(...cases.map(({ flag }) => flag)));
  });
  afterAll(() => opened.disposeAsync());

  it.each(cases satisfies readonly Case[])(
    `$title, time $nth: the rollout ends as it should, once and proven (FAULT_SEED=${SEED})`,
    (fault) => logged(world, () => killedAt(world, fault)),
  );
});
