import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { type Answer, type House, isOver, rolloutUntil, type RolloutShown } from '../e2e/house.ts';
import { everyItem } from './evidence.ts';

const ANSWERED_WITHIN_MS = 180_000;

/** Asks until somebody answers, as one request: it counts once. */
export function insist<T = Record<string, unknown>>(
  house: House,
  method: string,
  service: string,
  path: string,
  body: unknown,
): Promise<T> {
  const headers = { 'idempotency-key': randomUUID() };
  return eventually(async () => {
    const answer: Answer<T> = await house.ask<T>(method, service, path, { body, headers });
    if (answer.status >= 400) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }, ANSWERED_WITHIN_MS);
}

/** A plan that opens to everyone, until something is heard of it. */
export const watched = (flag: string): string =>
  `plan: ${flag}\nflag: ${flag}\nsteps:\n  - { stage: all, percentage: 100, hold: 1h }\n`;

/** Puts the plan and starts it, whoever dies meanwhile; resolves with the rollout's id. */
export async function begin(house: House, plan: string, text: string): Promise<string> {
  await insist(house, 'PUT', 'metrics-gatekeeper', `/v1/plans/${plan}`, text);
  const started = { plan, environment: 'production' };
  const { id } = await insist<{ id: string }>(
    house,
    'POST',
    'metrics-gatekeeper',
    '/v1/rollouts',
    started,
  );
  return id;
}

/** Another system says that it goes wrong. */
export const breach = (house: House, rollout: string): Promise<unknown> =>
  insist(house, 'POST', 'metrics-gatekeeper', '/v1/breaches', {
    environment: 'production',
    rollout,
    guard: 'complaints',
    message: 'Five complaints in ten minutes.',
    fingerprint: `complaints of ${rollout}`,
    startsAt: Date.now(),
  });

/** The same as `rolloutUntil`, with time for those who are away to come back. */
export const rolloutInTheEnd = (
  house: House,
  id: string,
  isSo: (rollout: RolloutShown) => boolean,
  withinMs = 90_000,
): Promise<RolloutShown> => rolloutUntil(house, id, isSo, withinMs);

/** Resolves once the rollout is rolled back, and its whole history known: it has decided so once. */
export async function rolledBackOnce(house: House, id: string): Promise<void> {
  const rollout = await rolloutInTheEnd(house, id, isOver);
  expect(rollout).toMatchObject({ status: 'rolled-back', exposure: '0 %' });
  const path = `/v1/rollouts/${id}/decisions`;
  const decided = await eventually(async () => {
    const all = await everyItem<{ type: string }>(house, 'metrics-gatekeeper', path);
    const types = all.map(({ type }) => type);
    return types.includes('RolloutRolledBack') ? types : undefined;
  }, ANSWERED_WITHIN_MS);
  expect(decided.filter((type) => type === 'RollbackStarted')).toHaveLength(1);
}
