import type { Seeded } from './random.ts';
import type { Scenario } from './scenario.ts';
import { START_MS } from './sim.ts';

/** A guard in shadow that would roll back at the first error: any healthy application has some. */
const TRIAL = 'trial';
/** The step that watches on after the last stage. */
const BAKE = 'overnight';

const STAGE_DEADLINE_MS = 40_000;

/**
 * In some worlds the plan says more about its gates: it bakes, goes on at deadlines, tries a guard in shadow, acts on
 * low scores of risk. Drawn from numbers of its own: the other worlds stay as they are.
 */
export function withGates(scenario: Scenario, random: Seeded): Scenario {
  if (!random.chance(0.4)) return scenario;
  const { plan, truth } = scenario;
  const steps = plan['steps'] as readonly object[];
  const guards = plan['guards'] as readonly object[];
  const metrics = plan['metrics'] as Readonly<Record<string, object>>;
  const isTried = random.chance(0.5);
  const advance = { deadline: `${STAGE_DEADLINE_MS}ms`, atDeadline: 'advance' };
  const goesOn = random.chance(0.4);
  const bake = { bake: BAKE, hold: `${random.between(5, 30)}s` };
  const trial = { name: TRIAL, judge: 'immediate', metric: 'any-error', shadow: true };
  return {
    ...scenario,
    plan: {
      ...plan,
      ...(random.chance(0.4) ? { levels: { notify: 2, hold: 4 } } : {}),
      recovery: { within: `${random.pick([15, 30, 120])}s` },
      metrics: isTried ? { ...metrics, 'any-error': anyError(metrics) } : metrics,
      guards: isTried ? [...guards, trial] : guards,
      steps: [
        ...steps.map((step) => (goesOn && 'stage' in step ? { ...step, ...advance } : step)),
        ...(random.chance(0.6) ? [bake] : []),
      ],
    },
    truth: { ...truth, ...mildlyBroken(random, scenario.chaosMs) },
  };
}

function anyError({ errors }: Readonly<Record<string, object>>) {
  const { source, bad } = errors as { source: object; bad: object };
  return { type: 'count', source, count: bad };
}

/** For a while a little more fails than may: it looks bad, and is over before much is proven. */
function mildlyBroken(random: Seeded, chaosMs: number) {
  if (!random.chance(0.4)) return {};
  const from = START_MS + random.between(0, chaosMs);
  const forMs = random.pick([2_000, 5_000, 20_000]);
  return { blip: { from, to: from + forMs, share: random.pick([0.02, 0.04]) } };
}
