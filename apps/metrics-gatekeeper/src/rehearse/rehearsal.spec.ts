import { describe, expect, it } from '@jest/globals';
import { isRejection } from '@tidegate/kernel';
import { manualClock } from '@tidegate/kernel/testing';
import { begin, goesOn, type Played, playOnce } from './play.handler.ts';
import { checkout, demoPlan, START } from './recorded.memory.ts';
import { planOn, type Recording, sourceOf } from './recording.ts';
import { createRehearsals, type RehearsalAnswer, type Wanted } from './rehearsals.handler.ts';
import { rehearsalOf } from './result.ts';

async function rehearse(wanted: Partial<Wanted> & Pick<Wanted, 'plan' | 'recording'>) {
  const defaults = { environment: 'production', inject: [], mutate: false };
  return createRehearsals(manualClock(START)).run({ ...defaults, ...wanted });
}
async function rehearsed(...args: Parameters<typeof rehearse>): Promise<RehearsalAnswer> {
  const answer = await rehearse(...args);
  if (isRejection(answer)) throw new Error(answer.message);
  return answer;
}
const healthy = { plan: demoPlan('demo-healthy.yaml'), recording: checkout('checkout', 0.001) };
const broken = { plan: demoPlan('demo-broken.yaml'), recording: checkout('payment', 0.2) };

describe('a rehearsal', () => {
  it('of a healthy version goes through every step of the plan, and says when', async () => {
    const told = await rehearsed(healthy);
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
    const told = await rehearsed(broken);
    expect(told.ended).toMatchObject({ outcome: 'rolled-back', reason: 'error-rate-too-high' });
    const [guard] = told.guards;
    expect(guard?.fired).toMatchObject({ stage: 'canary' });
    const last = guard?.evidence.at(-1);
    expect(last?.value).toBeGreaterThanOrEqual(last?.boundary ?? Infinity);
  });

  it('says that the data ended, and where, if the recording is too short', async () => {
    const { ended } = await rehearsed({ ...healthy, until: START + 6_000 });
    expect(ended).toMatchObject({
      outcome: 'unfinished',
      message: 'The data end in half, after 1s of 4s.',
    });
  });

  it('ends in the same way when it is put away and taken up again between any two checks', async () => {
    const { plan, recording } = broken;
    const on = planOn(recording, plan);
    const stage = { until: START + 60_000, breathe: async () => undefined };
    const playAll = async (between: (played: Played) => Played) => {
      let played = begin(on, 'production', START);
      while (goesOn(played, { ...stage, source: sourceOf(recording) }))
        played = await playOnce(between(played), { ...stage, source: sourceOf(recording) });
      return rehearsalOf(played);
    };
    const again = await playAll((played) => JSON.parse(JSON.stringify(played)) as Played);
    expect(again).toEqual(await playAll((played) => played));
  });
});

describe('an injection', () => {
  it('shows which guard rolls back, and how long after', async () => {
    const { injections, ended } = await rehearsed({
      ...healthy,
      inject: ['errors+20%@half', 'errors+20%@5s', 'events+600@everyone', 'stop-scrape@half'],
    });
    expect(ended.outcome).toBe('completed');
    expect(injections.map(({ injection, firedBy }) => [injection, firedBy?.guard])).toEqual([
      ['errors+20%@half', 'error-rate'],
      ['errors+20%@5s', 'error-rate'],
      ['events+600@everyone', 'totals-add-up'],
      ['stop-scrape@half', undefined],
    ]);
    for (const { firedBy } of injections.slice(0, 3))
      expect(firedBy?.afterMs).toBeLessThanOrEqual(4_000);
    const stopped = injections[3]?.rehearsal;
    expect(stopped?.ended).toMatchObject({ outcome: 'unfinished' });
    expect(stopped?.holds).toHaveLength(1);
  });

  it('that begins after the end, or nowhere, is said so', async () => {
    const { injections } = await rehearsed({ ...broken, inject: ['errors×2@everyone'] });
    expect(injections).toMatchObject([
      { at: null, message: expect.stringContaining('ended before errors×2@everyone') },
    ]);
    expect(await rehearse({ ...broken, inject: ['errors×2@nowhere'] })).toMatchObject({
      code: 'INJECTION_NOWHERE',
      message: expect.stringContaining('canary, half, everyone'),
    });
    expect(await rehearse({ ...broken, inject: ['more errors'] })).toMatchObject({
      code: 'INJECTION_MALFORMED',
    });
  });
});

describe('mutation', () => {
  it('shows for each guard what makes it fire, and how fast', async () => {
    const { mutation } = await rehearsed({ ...healthy, mutate: true });
    expect(mutation?.silent).toEqual([]);
    const fired = mutation?.reactions.filter(({ firedAfterMs }) => firedAfterMs !== null) ?? [];
    expect(new Set(fired.map(({ guard }) => guard))).toEqual(
      new Set(['error-rate', 'totals-add-up']),
    );
  });

  it('names a guard that nothing makes fire, and what to change', async () => {
    const { plan, recording } = healthy;
    const guards = plan.guards.map((guard) =>
      guard.judge === 'immediate' ? { ...guard, metric: 'nothing' } : guard,
    );
    const nothing = {
      ...plan.metrics['wrong-totals'],
      count: { metric: 'nobody_total', where: {} },
    };
    const metrics = { ...plan.metrics, nothing } as typeof plan.metrics;
    const { mutation } = await rehearsed({
      plan: { ...plan, metrics, guards },
      recording,
      until: START + 20_000,
      mutate: true,
    });
    expect(mutation?.silent).toMatchObject([{ guard: 'totals-add-up' }]);
  });
});

it('refuses what it cannot play, and says what was expected', async () => {
  const nothing: Recording = { series: [] };
  expect(await rehearse({ ...healthy, recording: nothing })).toMatchObject({
    code: 'REHEARSAL_NO_DATA',
  });
  expect(await rehearse({ ...healthy, from: START + 9_999_999 })).toMatchObject({
    code: 'REHEARSAL_SPAN',
    message: expect.stringContaining('The recording goes from'),
  });
});
