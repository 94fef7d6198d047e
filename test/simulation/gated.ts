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
  const compared: Partial<Compared> = random.chance(0.35) ? comparing(random, scenario) : {};
  const advance = { deadline: `${STAGE_DEADLINE_MS}ms`, atDeadline: 'advance' };
  const goesOn = random.chance(0.4);
  const late = random.chance(0.3) ? brokenLate(random, steps) : undefined;
  const bake = { bake: BAKE, hold: `${late ? 80 : random.between(5, 30)}s` };
  const trial = { name: TRIAL, judge: 'immediate', metric: 'any-error', shadow: true };
  return {
    ...scenario,
    plan: {
      ...plan,
      ...(random.chance(0.6) ? { levels: { notify: 3, hold: 6 } } : {}),
      recovery: { within: `${random.pick([15, 30, 120])}s` },
      metrics: { ...metrics, ...compared.metrics, ...(isTried ? anyError(metrics) : {}) },
      guards: [...(compared.guards ?? guards), ...(isTried ? [trial] : [])],
      steps: [
        ...steps.map((step) => (goesOn && 'stage' in step ? { ...step, ...advance } : step)),
        ...(late !== undefined || random.chance(0.6) ? [bake] : []),
      ],
    },
    truth: {
      ...truth,
      ...compared.truth,
      ...mildlyBroken(random, scenario.chaosMs),
      ...vanishing(random, scenario),
      ...late,
    },
  };
}

function anyError({ errors }: Readonly<Record<string, object>>) {
  const { source, bad } = errors as { source: object; bad: object };
  return { 'any-error': { type: 'count', source, count: bad } };
}

/** The new code is held against the old one, at the same time; what both suffer from is not its fault. */
function comparing(random: Seeded, { plan, chaosMs }: Scenario) {
  const { errors } = plan['metrics'] as { errors: { source: object } };
  const [errorRate, ...others] = plan['guards'] as readonly [{ gate?: string }, ...object[]];
  const { gate } = errorRate;
  const from = START_MS + random.between(0, chaosMs);
  const outage = { from, to: from + random.pick([5_000, 20_000, 60_000]), share: 0.3 };
  return {
    metrics: {
      errors: {
        type: 'ratio',
        source: errors.source,
        bad: { metric: 'errors_total' },
        total: { metric: 'requests_total' },
        canary: { where: { variant: 'on' } },
        baseline: { where: { variant: 'off' } },
      },
    },
    guards: [
      {
        name: 'error-rate',
        judge: 'sequential',
        metric: 'errors',
        limit: '1%',
        margin: '100%',
        ...(gate === undefined ? { detect: 10 } : { gate }),
      },
      ...others,
    ],
    truth: { hasTwoArms: true, ...(random.chance(0.6) ? { outage } : {}) },
  };
}

/** It begins to fail when everybody may have it, after a time in which all was well. */
function brokenLate(random: Seeded, steps: readonly object[]) {
  const levels = steps.flatMap((step) => ('percentage' in step ? [Number(step.percentage)] : []));
  const at = START_MS + random.between(40_000, 120_000);
  return { broken: { share: 0.25, exposure: Math.max(...levels) * 1_000, at } };
}

type Compared = ReturnType<typeof comparing>;

/** One of two instances goes away for a while, and the other one stays. */
function vanishing(random: Seeded, { targets, chaosMs }: Scenario) {
  if (targets.length < 2 || !random.chance(0.4)) return {};
  const from = START_MS + random.between(0, chaosMs);
  return { vanishes: { from, to: from + random.pick([2_000, 30_000, 60_000]) } };
}

/** For a while a little more fails than may: it looks bad, and is over before much is proven. */
function mildlyBroken(random: Seeded, chaosMs: number) {
  if (!random.chance(0.4)) return {};
  const from = START_MS + random.between(0, chaosMs);
  const forMs = random.pick([2_000, 5_000, 10_000]);
  return { blip: { from, to: from + forMs, share: random.pick([0.03, 0.06]) } };
}
