import { setImmediate } from 'node:timers/promises';
import type { Defect } from './defect.ts';
import { checkPromises } from './oracle.ts';
import { Violation } from './sim.ts';
import { World } from './world.ts';

export interface Simulated {
  readonly seed: number;
  readonly world: World;
  readonly violation: Violation | undefined;
}

/** One rollout of a world that is drawn from the seed: the same seed is the same rollout, step by step. */
export async function simulate(seed: number, defect: Defect = {}): Promise<Simulated> {
  // Lets timers go that the former world has left behind; in this one no real time passes.
  await setImmediate();
  const world = new World(seed, defect);
  try {
    await world.run();
    await checkPromises(world);
    return { seed, world, violation: undefined };
  } catch (error) {
    if (error instanceof Violation) return { seed, world, violation: error };
    throw error;
  }
}

/** What somebody needs to find out why, and to run it again alone. */
export function described({ seed, world, violation }: Simulated): string {
  const { scenario, profile, sim } = world;
  return [
    `Rollout ${seed} breaks a promise. ${violation?.message}`,
    `Plan: ${JSON.stringify(scenario.plan)}`,
    `Truth: ${JSON.stringify(scenario.truth)}`,
    `Faults: ${JSON.stringify(profile)}`,
    'The last steps, in seconds:',
    sim.lastSteps(40),
    `Run it alone: SIM_SEED=${seed} npm run -s jest -- test/simulation/simulation.spec.ts`,
    `Once it is understood, keep ${seed} in test/simulation/seeds.ts.`,
  ].join('\n');
}
