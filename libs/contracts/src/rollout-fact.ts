import { z } from 'zod';
import { family } from './family.ts';
import { flagKey, name } from './fields.ts';

export const rolloutId = z.string().min(1);
const of = {
  rollout: rolloutId,
  environment: name,
  plan: name,
  planVersion: z.int().min(1),
  flag: flagKey,
};
const ofExample = {
  rollout: 'r-42',
  environment: 'production',
  plan: 'demo-healthy',
  planVersion: 3,
  flag: 'checkout-v2',
};
/** What a rollout says of itself. */
export const fact = family({
  noun: 'rollout',
  kind: 'event',
  topic: 'rollout.events',
  fields: of,
  example: ofExample,
  key: 'rollout',
});
