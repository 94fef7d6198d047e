import { z } from 'zod';
import { millis, name } from './fields.ts';
import { defineMessage, type MessageOf } from './message.ts';
import { verdict, verdictExample } from './verdict.ts';

export const PlanVersionCreated = defineMessage({
  type: 'PlanVersionCreated',
  wire: 'tidegate.plan.version-created.v1',
  kind: 'event',
  topic: 'rollout.events',
  schema: z.object({
    plan: name,
    version: z.int().min(1),
    hash: z.string(),
    text: z.string(),
    by: z.string(),
  }),
  key: (data) => `plan/${data.plan}`,
  example: {
    plan: 'demo-healthy',
    version: 1,
    hash: 'sha256:9b1c',
    text: 'plan: demo-healthy\n',
    by: 'alex',
  },
});

/** The evidence travels with the breach: anyone can judge again. */
export const ThresholdBreached = defineMessage({
  type: 'ThresholdBreached',
  wire: 'tidegate.metric.threshold-breached.v1',
  kind: 'event',
  topic: 'metric.breaches',
  schema: z.object({
    environment: name,
    /** The rollout, where the sender knows it; else labels find it. */
    rollout: z.string().optional(),
    labels: z.record(z.string(), z.string()).default({}),
    guard: z.string(),
    /** Repeats of one breach have the same fingerprint and start. */
    fingerprint: z.string(),
    startsAt: millis,
    message: z.string(),
    verdict: verdict.optional(),
  }),
  key: (data) => data.rollout ?? `${data.environment}/${data.fingerprint}`,
  example: {
    environment: 'production',
    rollout: 'r-42',
    guard: 'error-rate',
    fingerprint: 'r-42/error-rate',
    startsAt: 1_790_000_000_000,
    message: 'error-rate: 63 of 1 204 requests failed (5.2 %), limit 1 %.',
    verdict: { ...verdictExample, outcome: 'breach', reason: 'error-rate-too-high' },
  },
});
export type ThresholdBreached = MessageOf<typeof ThresholdBreached>;

/** A sign of life of one instance of metrics-gatekeeper. */
export const GatekeeperAlive = defineMessage({
  type: 'GatekeeperAlive',
  wire: 'tidegate.gatekeeper.alive.v1',
  kind: 'heartbeat',
  topic: 'gatekeeper.heartbeats',
  schema: z.object({
    instance: z.string(),
    lastCheckAt: millis.optional(),
    running: z.int().min(0),
    /** Rollouts with a stage that closes if nobody looks after it, and when their last check was complete. */
    lookedAfter: z.record(z.string(), millis).optional(),
  }),
  key: (data) => data.instance,
  maxAgeMs: 60_000,
  example: { instance: 'gatekeeper-0', lastCheckAt: 1_790_000_000_000, running: 2 },
});
export type GatekeeperAlive = MessageOf<typeof GatekeeperAlive>;
