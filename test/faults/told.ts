import { randomUUID } from 'node:crypto';
import { eventually } from '@tidegate/kernel/testing';
import { type Answer, type House, rolloutOf, type RolloutShown } from '../e2e/house.ts';
import { everyItem } from './evidence.ts';
import { patiently } from './world.ts';

const ANSWERED_WITHIN_MS = 60_000;

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
  }, ANSWERED_WITHIN_MS) as Promise<T>;
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

/** The same as `rolloutUntil`, also while nobody can answer. */
export function rolloutInTheEnd(
  house: House,
  id: string,
  isSo: (rollout: RolloutShown) => boolean,
  withinMs = 90_000,
): Promise<RolloutShown> {
  return eventually(async () => {
    const rollout = await rolloutOf(house, id);
    if (!isSo(rollout)) throw new Error(`The rollout is: ${JSON.stringify(rollout)}`);
    return rollout;
  }, withinMs);
}

/** How often a rollout has decided so. */
export async function timesDecided(house: House, id: string, type: string): Promise<number> {
  const path = `/v1/rollouts/${id}/decisions`;
  const all = await patiently(() => everyItem<{ type: string }>(house, 'metrics-gatekeeper', path));
  return all.filter((each) => each.type === type).length;
}
