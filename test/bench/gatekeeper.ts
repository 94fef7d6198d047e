import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkStage, openStage, readsOf, type StageEvidence } from '@tidegate/gates';
import { type Gatekeeper, gatekeeperMetrics } from '@tidegate/metrics-gatekeeper';
import { openSqliteStore } from '@tidegate/store';
import { Registry } from 'prom-client';
import {
  begin,
  Delays,
  ENVIRONMENT,
  EVERY_MS,
  instance,
  looping,
  quantile,
  recording,
  type Size,
} from './gatekeeper.house.ts';
import { twoReplicas } from './gatekeeper.replicas.ts';
import type { Bench } from './main.ts';

const option = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise);
const size: Size = {
  rollouts: option('ROLLOUTS', 1_000),
  guards: option('GUARDS', 5),
  series: option('SERIES', 20),
};
const SECONDS = option('SECONDS', 30);
/** How long stages have been open: their evidence grows with the time that it covers. */
const HOURS = option('HOURS', 24);

/** CASES: `one` instance on SQLite, or `two` that share a MongoDB-wire server, one of which is killed. */
const bench: Bench = async (report) => {
  const cases = (process.env['CASES'] ?? 'one,two').split(',');
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-bench-'));
  try {
    if (cases.includes('one')) await oneInstance(folder, report);
    if (cases.includes('two'))
      await twoReplicas({ ...size, rollouts: option('SHARED_ROLLOUTS', 100) }, report);
  } finally {
    await rm(folder, { recursive: true });
  }
};
export default bench;

const oneInstance = async (folder: string, ...[report]: Parameters<Bench>): Promise<void> => {
  let ageMs = HOURS * 3_600_000;
  const clock = { now: () => Date.now() - ageMs };
  const store = await openSqliteStore({ file: join(folder, 'store.db'), clock });
  const source = recording(size);
  let delays = new Delays(new Map());
  const failures: unknown[] = [];
  const metrics = gatekeeperMetrics(new Registry());
  const gatekeeper = instance(store, clock, source, {
    onDue: (at) => loop?.due(at),
    onChecked: (report) => {
      const now = clock.now();
      metrics.checked(report, now);
      delays.checked(report.rollout, now - report.decisionMs, now);
    },
    onFailed: (_rollout, error) => failures.push(error),
  });
  let loop: ReturnType<typeof looping> | undefined;
  const ids = await begin(gatekeeper, clock, size);
  const evidence = await aged(gatekeeper, ids, source, Date.now());
  ageMs = 0;
  const due = await arrange(gatekeeper, ids, evidence, clock.now());
  delays = new Delays(due);

  loop = looping(gatekeeper, clock);
  await seconds(EVERY_MS / 1_000 + 1);
  delays.done.length = 0;
  const [cpu, begun] = [process.cpuUsage(), performance.now()];
  await seconds(SECONDS);
  const { user, system } = process.cpuUsage(cpu);
  const elapsed = (performance.now() - begun) * 1_000;
  const late = [...delays.done, ...delays.waiting(ids, clock.now())];
  const { rss, heapUsed } = process.memoryUsage();
  await loop.stop();
  const [first = ''] = ids;
  const stored = (await gatekeeper.checks.documents.load(first))?.state;
  await store.close();
  if (failures.length > 0) throw new Error('Checks failed.', { cause: failures[0] });

  const { rollouts, guards, series } = size;
  const row = (name: string, value: number, unit: string) =>
    report({
      case: `${rollouts} rollouts × ${guards} guards × ${series} series: ${name}`,
      subject: 'tidegate',
      value,
      unit,
    });
  row('CPU', Math.round(((user + system) / elapsed) * 1_000) / 1_000, 'cores');
  report({
    case: `${rollouts} rollouts × ${guards} guards × ${series} series: CPU`,
    subject: 'limit',
    value: 1,
    unit: 'cores',
  });
  row('CPU of one check', Math.round((user + system) / delays.done.length), 'µs');
  row('checks', Math.round(delays.done.length / SECONDS), '1/s');
  row('delay of a check p50', Math.round(quantile(late, 0.5)), 'ms');
  row('delay of a check p99', Math.round(quantile(late, 0.99)), 'ms');
  row('memory resident', Math.round(rss / 1_048_576), 'MB');
  row('memory heap', Math.round(heapUsed / 1_048_576), 'MB');
  row('stored check', JSON.stringify(stored).length, 'bytes');
};

/** What a rollout's check holds late in its stage: of one rollout, since the same was counted for all. */
async function aged(
  { rollouts }: Gatekeeper,
  [id = '']: readonly string[],
  source: ReturnType<typeof recording>,
  now: number,
): Promise<StageEvidence> {
  const state = (await rollouts.documents.load(id))?.state;
  if (!state || state.status === 'absent' || !state.exposed) throw new Error('It is not open.');
  const { plan, exposed } = state;
  let evidence = openStage(plan, exposed.stage, exposed.at);
  for (let at = exposed.at + EVERY_MS; at < now; at += EVERY_MS)
    evidence = checkStage(plan, evidence, await source.read(readsOf(plan, ENVIRONMENT), at), at);
  return evidence;
}

/** Spreads the checks over an interval, as rollouts do that were started at any time. */
async function arrange(
  { checks: { documents } }: Gatekeeper,
  ids: readonly string[],
  evidence: StageEvidence,
  now: number,
): Promise<ReadonlyMap<string, number>> {
  const due = ids.map((id, place) => {
    return [id, now + Math.round((place / ids.length) * EVERY_MS)] as const;
  });
  for (const [id, nextCheckAt] of due) {
    const document = await documents.load(id);
    if (!document) throw new Error(`${id} has no check.`);
    const state = { ...document.state, evidence, nextCheckAt };
    await documents.save(id, { state, version: document.version + 1, outbox: [] }, document.token);
  }
  return new Map(due);
}

const seconds = (count: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, count * 1_000);
  });
