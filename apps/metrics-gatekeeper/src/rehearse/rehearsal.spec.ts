import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { type Plan, readPlan } from '@tidegate/contracts';
import { recordedSource } from '@tidegate/metrics-source/testing';
import { begin, play, type Played } from './play.handler.ts';
import { rehearsalOf } from './result.ts';

const planIn = (file: string): Plan => {
  const text = readFileSync(new URL(`../../../../deploy/plans/${file}`, import.meta.url), 'utf8');
  const read = readPlan(text);
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return read.plan;
};
const TARGET = 'http://127.0.0.1:7410/metrics';
const START = 1_700_000_000_000;

/** A checkout with 50 requests a second, of which so many fail. */
function traffic(feature: string, failing: number) {
  const source = recordedSource();
  source.record(TARGET, 0, (at) => {
    const requests = Math.floor((at - START + 60_000) / 20);
    const failed = Math.floor(requests * failing);
    return [
      `checkout_requests_total{feature="${feature}",variant="on",status="200"} ${requests - failed}`,
      `checkout_requests_total{feature="${feature}",variant="on",status="500"} ${failed}`,
      'checkout_invariant_violations_total 0',
      '',
    ].join('\n');
  });
  return source;
}

const rehearse = (plan: Plan, feature: string, failing: number, again = (each: Played) => each) =>
  play(
    again(begin(plan, 'production', START)),
    {
      source: traffic(feature, failing),
      until: START + 3_600_000,
      breathe: async () => undefined,
    },
    START,
  );

describe('a rehearsal', () => {
  it('of a healthy version goes through every step of the plan, and says when', async () => {
    const told = rehearsalOf(await rehearse(planIn('demo-healthy.yaml'), 'checkout', 0.001));
    expect(told.ended).toMatchObject({ outcome: 'completed' });
    expect(told.steps.map(({ step, endedAt }) => [step, endedAt !== null])).toEqual([
      ['order-totals/execute', true],
      ['canary', true],
      ['half', true],
      ['everyone', true],
    ]);
    expect(told.holds).toEqual([]);
  });

  it('of a broken version is rolled back in its first stage, by the guard that saw it', async () => {
    const told = rehearsalOf(await rehearse(planIn('demo-broken.yaml'), 'payment', 0.2));
    expect(told.ended).toMatchObject({ outcome: 'rolled-back', reason: 'error-rate-too-high' });
    const [guard] = told.guards;
    expect(guard?.fired).toMatchObject({ stage: 'canary' });
    expect(guard?.evidence.at(-1)?.value).toBeGreaterThanOrEqual(
      guard?.evidence.at(-1)?.boundary ?? Infinity,
    );
  });
});
