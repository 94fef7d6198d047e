import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import {
  type DecisionShown,
  isOver,
  type RolloutShown,
  timeline,
  verifyArchive,
} from '@tidegate/cli';
import pc from 'picocolors';
import { chapter, done, failed, type Screen } from './screen.ts';
import { type DemoWorld, ENVIRONMENT } from './world.ts';

/** What the demo found out; all of it has to hold. */
export interface DemoResult {
  readonly promoted: boolean;
  readonly rolledBack: boolean;
  /** The metrics were good again after the rollback. */
  readonly recovered: boolean;
  readonly breachToFlagOffMs: number | null;
  readonly healthyRequests: number;
  readonly brokenRequests: number;
  readonly auditRecords: number;
  readonly auditVerified: boolean;
  readonly webhooksDelivered: number;
  readonly seconds: number;
}

export const holds = (result: DemoResult): boolean =>
  result.promoted &&
  result.rolledBack &&
  result.recovered &&
  result.breachToFlagOffMs !== null &&
  result.healthyRequests > 0 &&
  result.brokenRequests > 0 &&
  result.auditVerified &&
  result.webhooksDelivered > 0;

const ROLLOUT_WITHIN_MS = 60_000;
const POLL_MS = 150;
const BROKEN_SHARE = 0.05;

/** The healthy release, the broken one, who was told, and the proof. */
export async function tell(
  world: DemoWorld,
  screen: Screen,
  startedAt: number,
): Promise<DemoResult> {
  screen.line(chapter('A healthy release'));
  const healthy = await runRollout(world, screen, 'demo-healthy');
  const promoted = healthy.rollout.status === 'completed';
  const healthyRequests = await world.example.requests({ feature: 'checkout' });
  screen.line();
  screen.line(
    promoted
      ? done('promoted to everyone', `${grouped(healthyRequests)} requests served meanwhile`)
      : failed(`it ended ${healthy.rollout.status}`),
  );

  screen.line(await migrated(world));

  screen.line(
    chapter(`A broken release: its new path fails ${BROKEN_SHARE * 100} % of its requests`),
  );
  const broken = await runBroken(world, screen);

  screen.line(chapter('Who was told, and the proof'));
  const webhooksDelivered = await delivered(world, screen);
  const audit = await proven(world, screen);
  const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
  return { promoted, healthyRequests, ...broken, webhooksDelivered, ...audit, seconds };
}

const grouped = (count: number): string => count.toLocaleString('en').replaceAll(',', ' ');

/** What the plan's migration did to the example's own database. */
async function migrated({ api }: DemoWorld): Promise<string> {
  const { items } = await api.get<{
    items: { status: string; batches: number; counts: { changed: number } }[];
  }>('migration-runner', '/v1/runs');
  const [run] = items;
  return run?.status === 'completed'
    ? done(`${grouped(run.counts.changed)} old orders got their totals`, `${run.batches} batches`)
    : failed(`the migration is ${run?.status ?? 'nowhere'}`);
}

interface Ran {
  readonly rollout: RolloutShown;
  readonly decisions: readonly DecisionShown[];
}

async function runRollout(
  { api, planText }: DemoWorld,
  screen: Screen,
  plan: string,
): Promise<Ran> {
  const gatekeeper = 'metrics-gatekeeper';
  await api.put(gatekeeper, `/v1/plans/${plan}`, planText(plan));
  const { id } = await api.post<{ id: string }>(gatekeeper, '/v1/rollouts', {
    plan,
    environment: ENVIRONMENT,
  });
  const deadline = performance.now() + ROLLOUT_WITHIN_MS;
  for (;;) {
    const [rollout, { items }] = await Promise.all([
      api.get<RolloutShown>(gatekeeper, `/v1/rollouts/${id}`),
      api.get<{ items: DecisionShown[] }>(gatekeeper, `/v1/rollouts/${id}/decisions?limit=200`),
    ]);
    const picture = timeline(rollout, items, Date.now());
    if ((isOver(rollout) && items.some(isEnd)) || performance.now() > deadline) {
      screen.keep(picture);
      return { rollout, decisions: items };
    }
    screen.live(picture);
    await wait(POLL_MS);
  }
}

/** The history is written beside the rollout, and may be a moment behind it. */
const isEnd = ({ type }: DecisionShown): boolean =>
  ['RolloutCompleted', 'RolloutRolledBack', 'RolloutFailed', 'RolloutAborted'].includes(type);

async function runBroken(world: DemoWorld, screen: Screen) {
  const { example } = world;
  const failing = { feature: 'payment', status: '500' };
  await fetch(`${example.url}/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ feature: 'payment', newPathErrorRate: BROKEN_SHARE }),
  });
  const { rollout, decisions } = await runRollout(world, screen, 'demo-broken');
  const rolledBack = rollout.status === 'rolled-back' && (await isBack(world));
  const brokenRequests = await example.requests(failing);
  await wait(1_000);
  const failedSince = (await example.requests(failing)) - brokenRequests;
  const breachedAt = decisions.find(({ type }) => type === 'RollbackStarted')?.at;
  const offAt = example.saw.findLast(
    ({ key, percentage, at }) =>
      key === 'express-pay' && percentage === 0 && at >= (breachedAt ?? at),
  )?.at;
  const breachToFlagOffMs =
    breachedAt === undefined || offAt === undefined ? null : offAt - breachedAt;
  screen.line();
  screen.line(
    rolledBack && breachToFlagOffMs !== null && failedSince === 0
      ? done(
          `rolled back: the flag was off in the application ${breachToFlagOffMs} ms after the breach`,
          `${brokenRequests} requests had failed; in the second after, ${failedSince}`,
        )
      : failed(
          `it ended ${rollout.status}, and ${failedSince} requests failed in the second after`,
        ),
  );
  screen.line(
    pc.dim(
      `    DATA_DIR=${world.house.dataDir} npm run -s tidegate -- rollout report ${rollout.id}`,
    ),
  );
  const recovered = await hasRecovered(world, screen, rollout.id);
  const isBackForGood = rolledBack && failedSince === 0;
  return { rolledBack: isBackForGood, recovered, breachToFlagOffMs, brokenRequests };
}

const RECOVERED_WITHIN_MS = 15_000;

/** The rollback is done; that it has helped is judged beside, on what is counted since. */
async function hasRecovered({ api }: DemoWorld, screen: Screen, id: string): Promise<boolean> {
  const deadline = performance.now() + RECOVERED_WITHIN_MS;
  for (;;) {
    const { recovery, ended } = await api.get<RolloutShown>(
      'metrics-gatekeeper',
      `/v1/rollouts/${id}`,
    );
    if (recovery?.status === 'awaited' && performance.now() < deadline) {
      await wait(POLL_MS);
      continue;
    }
    const recovered = recovery?.status === 'recovered';
    const seconds = Math.round(((recovery?.at ?? 0) - (ended?.at ?? 0)) / 100) / 10;
    screen.line(
      recovered
        ? done(`its metrics are good again, judged ${seconds} s after`, recovery.message ?? '')
        : failed(`its metrics are not good again (${recovery?.status ?? 'not judged'})`),
    );
    return recovered;
  }
}

/** The flag is as it was before the rollout, for everyone. */
async function isBack({ api }: DemoWorld): Promise<boolean> {
  const path = `/v1/environments/${ENVIRONMENT}/flags/express-pay`;
  const { flag } = await api.get<{
    flag: { definition: { exposure: { percentage: number } }; hold?: unknown };
  }>('flag-service', path);
  return flag.definition.exposure.percentage === 0;
}

const SETTLE_WITHIN_MS = 5_000;

async function delivered({ api, receiver }: DemoWorld, screen: Screen): Promise<number> {
  const deadline = performance.now() + SETTLE_WITHIN_MS;
  for (;;) {
    const { items } = await api.get<{ items: unknown[] }>(
      'notifier',
      '/v1/notifications?status=waiting',
    );
    const hasEnd = receiver.received.some(({ title }) => title.includes('rolled back'));
    if ((items.length === 0 && hasEnd) || performance.now() > deadline) break;
    await wait(POLL_MS);
  }
  const { received } = receiver;
  screen.line(done(`${received.length} signed webhooks reached their receiver, for example`));
  for (const { severity, title, text } of received.filter(({ severity }) => severity !== 'info'))
    screen.line(`    ${severity.padEnd(8)}  ${title}: ${text}`);
  return received.length;
}

async function proven({ api, house }: DemoWorld, screen: Screen) {
  await api.post('audit-sink', '/v1/seals?drainMs=5000');
  const archive = join(house.dataDir, 'audit', 'archive');
  const report = await verifyArchive(archive, { keyFiles: [] });
  const { records, seals, proven: verified } = report;
  screen.line(
    verified
      ? done(
          `${records} audit records proven offline`,
          `one tree, ${seals} signed ${seals === 1 ? 'head' : 'heads'}`,
        )
      : failed(`the audit archive is not proven: ${JSON.stringify(report.problems)}`),
  );
  screen.line(pc.dim(`    npm run -s tidegate -- audit verify ${archive}`));
  return { auditRecords: records, auditVerified: verified };
}
