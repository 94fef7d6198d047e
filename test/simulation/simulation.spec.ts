import { describe, expect, it } from '@jest/globals';
import { catalogue } from '@tidegate/contracts';
import { writePoints } from '@tidegate/store';
import { knownSeeds } from './seeds.ts';
import { described, simulate } from './simulate.ts';

const { SIM_SEED, SIM_FROM = '1', SIM_ROLLOUTS = '2000' } = process.env;
const count = SIM_SEED === undefined ? Number(SIM_ROLLOUTS) : 1;
const from = Number(SIM_SEED ?? SIM_FROM);
/** Several at once show whether they have one cause. */
const MOST_FAILURES = 3;
/** Fewer say nothing about what happens at all. */
const ENOUGH = 1_000;

interface Summary {
  readonly failures: readonly string[];
  /** How often things happened, by name. */
  readonly seen: ReadonlyMap<string, number>;
}

async function simulateAll(): Promise<Summary> {
  const failures: string[] = [];
  const seen = new Map<string, number>();
  const add = (what: string, times = 1) => seen.set(what, (seen.get(what) ?? 0) + times);
  for (let seed = from; seed < from + count && failures.length < MOST_FAILURES; seed += 1) {
    const simulated = await simulate(seed);
    const { world, violation } = simulated;
    if (violation) failures.push(described(simulated));
    for (const [what, times] of world.sim.seen) add(what, times);
    for (const { status } of world.rollouts()) add(`rollout ${status}`);
    for (const type of new Set(world.bus.published.map((message) => message.type))) add(type);
  }
  return { failures, seen };
}

const all = simulateAll();
const patience = 60_000 + count * 500;

describe('whatever happens, the promises are kept', () => {
  for (const [seed, what] of knownSeeds)
    it(`in rollout ${seed}, which once broke one: ${what}`, async () => {
      const simulated = await simulate(seed);
      expect(simulated.violation && described(simulated)).toBeUndefined();
    });

  it(
    `in ${count} rollouts from ${from} on`,
    async () => {
      const { failures } = await all;
      expect(failures.join('\n\n')).toBe('');
    },
    patience,
  );
});

describe('the simulated worlds', () => {
  it('are the same again from the same seed, step by step', async () => {
    const [one, again] = [await simulate(from), await simulate(from)];
    expect(again.world.bus.published).toEqual(one.world.bus.published);
    expect(again.world.sim.lastSteps(300)).toBe(one.world.sim.lastSteps(300));
    expect(again.world.sim.scheduler.steps).toBe(one.world.sim.scheduler.steps);
  });

  const itIfMany = count >= ENOUGH ? it : it.skip;
  itIfMany(
    'see all that can happen, often enough to mean something',
    async () => {
      const { seen } = await all;
      const events = catalogue.filter(({ topic }) => topic === 'rollout.events');
      const wanted = [
        ...events.map(({ type }) => type),
        ...writePoints.map((point) => `crash at ${point}`),
        ...['completed', 'rolled-back', 'aborted'].map((status) => `rollout ${status}`),
        'save: answer lost',
        'publish: answer lost',
        'publish: a part',
        'redelivery',
        'rebalance: in handling',
        'dead letter: undecodable',
        'a stage that nobody looked after is closed',
      ];
      const rare = wanted.filter((what) => (seen.get(what) ?? 0) < count / 1_000);
      expect(rare).toEqual([]);
      expect(seen.get('rollout completed')).toBeGreaterThan(count / 5);
      expect(seen.get('rollout rolled-back')).toBeGreaterThan(count / 5);
    },
    patience,
  );
});
