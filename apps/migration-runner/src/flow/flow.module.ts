import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceContext } from '@tidegate/platform';
import type { Document, Documents } from '@tidegate/store';
import type { Run } from '../run/run.ts';
import { ROLLOUT_STANDINGS } from '../tokens.ts';
import type { PacingDeps } from './pacing.handler.ts';
import { httpProbe } from './probe.http.ts';
import { runMetrics } from './run-metrics.prometheus.ts';
import { RolloutConsumer } from './rollout.consumer.ts';
import type { Standing } from './rollout-standing.ts';
import { createStandings } from './rollout-standings.handler.ts';

const PROBE_TIMEOUT_MS = 2_000;
const PAGE = 200;

/** What paces runs: what `createPacing` needs, what listens to rollouts, and what is measured. */
export function flowOf(context: ServiceContext, documents: Documents<Run>, everyMs: number) {
  const { store, clock, name, registry } = context;
  const standings = createStandings(store.projection<Standing>('rollout-standings'));
  const metrics = runMetrics(registry);
  context.loop('run-metrics', everyMs, async () =>
    metrics.underWay(await notEnded(documents), clock.now()),
  );
  const pacing: Omit<PacingDeps, 'record'> = {
    clock,
    sleep: (ms) => sleep(ms),
    probe: httpProbe({ timeoutMs: PROBE_TIMEOUT_MS, userAgent: name }),
    heldBy: standings.heldBy,
    looked: (run, because) => metrics.looked(run, because, clock.now()),
  };
  return {
    pacing,
    measured:
      (record: PacingDeps['record']): PacingDeps['record'] =>
      async (run, command) => {
        const outcome = await record(run, command);
        metrics.recorded(command, outcome);
        return outcome;
      },
    controllers: [RolloutConsumer],
    providers: [{ provide: ROLLOUT_STANDINGS, useValue: standings }],
  };
}

async function notEnded(documents: Documents<Run>): Promise<readonly Document<Run>[]> {
  const found: Document<Run>[] = [];
  for (const status of ['running', 'paused'])
    for (let after: string | undefined; ;) {
      const page = await documents.list({ where: { status }, after, limit: PAGE });
      found.push(...page);
      after = page.at(-1)?.id;
      if (page.length < PAGE) break;
    }
  return found;
}
