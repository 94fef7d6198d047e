import { afterAll, describe, expect, it } from '@jest/globals';
import { evaluationSteps } from './evaluation.steps.ts';
import { hookSteps } from './hook.steps.ts';
import { scenarios, type Scenario } from './scenarios.ts';
import { take } from './steps.ts';
import { World } from './world.ts';

/** The scenarios of OpenFeature's specification, over its server SDK, our provider and client, and flags that were imported. */
const steps = [...evaluationSteps, ...hookSteps];

const NOT_RUN: readonly [why: string, which: (scenario: Scenario) => boolean][] = [
  ['the specification has replaced it by evaluation_v2', ({ feature }) => feature === 'evaluation'],
  [
    'flags are evaluated in the process: there is no cache to answer from',
    ({ title }) => title.startsWith('CACHED reason'),
  ],
  [
    'the provider never gives up: it goes on connecting, and says ERROR until then',
    ({ steps: written }) => written.some(({ text }) => text === 'a fatal provider'),
  ],
];
const whyNot = (scenario: Scenario): string | undefined =>
  NOT_RUN.find(([, which]) => which(scenario))?.[0];

const all = scenarios();
const run = all.filter((scenario) => whyNot(scenario) === undefined);

afterAll(() => {
  const lines = all.flatMap((scenario) => {
    const why = whyNot(scenario);
    return why === undefined ? [] : [`  not run: ${scenario.feature}: ${scenario.title}: ${why}`];
  });
  const counted = `OpenFeature: ${run.length} of ${all.length} scenarios run`;
  process.stdout.write(`${[counted, ...lines].join('\n')}\n`);
});

it('runs all but the scenarios that are named here', () => {
  expect(all).toHaveLength(132);
  expect(run).toHaveLength(111);
});

describe.each([...new Set(run.map(({ feature }) => feature))])('%s', (feature) => {
  it.each(run.filter((scenario) => scenario.feature === feature))('$title', async (scenario) => {
    const world = new World();
    try {
      for (const each of scenario.steps) await take(steps, each, world);
    } finally {
      await world.close();
    }
  });
});
