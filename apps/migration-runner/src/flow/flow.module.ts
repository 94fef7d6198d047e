import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceContext } from '@tidegate/platform';
import { ROLLOUT_STANDINGS } from '../tokens.ts';
import type { PacingDeps } from './pacing.handler.ts';
import { httpProbe } from './probe.http.ts';
import { RolloutConsumer } from './rollout.consumer.ts';
import type { Standing } from './rollout-standing.ts';
import { createStandings } from './rollout-standings.handler.ts';

const PROBE_TIMEOUT_MS = 2_000;

/** What paces runs: what `createPacing` needs, and what listens to rollouts. */
export function flowOf({ store, clock, name }: Pick<ServiceContext, 'store' | 'clock' | 'name'>) {
  const standings = createStandings(store.projection<Standing>('rollout-standings'));
  const pacing: Omit<PacingDeps, 'record'> = {
    clock,
    sleep: (ms) => sleep(ms),
    probe: httpProbe({ timeoutMs: PROBE_TIMEOUT_MS, userAgent: name }),
    heldBy: standings.heldBy,
  };
  return {
    pacing,
    controllers: [RolloutConsumer],
    providers: [{ provide: ROLLOUT_STANDINGS, useValue: standings }],
  };
}
