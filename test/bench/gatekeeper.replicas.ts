import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Gatekeeper } from '@tidegate/metrics-gatekeeper';
import { systemClock } from '@tidegate/platform';
import { openMongoStore } from '@tidegate/store';
import { openServer } from '../servers/servers.ts';
import {
  begin,
  Delays,
  EVERY_MS,
  instance,
  quantile,
  recording,
  type Size,
} from './gatekeeper.house.ts';
import type { Given, Said } from './gatekeeper.replica.ts';
import type { Bench } from './main.ts';

/** After both are there; half of the rollouts turn bad two seconds before one replica is killed. */
const KILL_AFTER_MS = 12_000;
const BAD_BEFORE_MS = 2_000;
/** Of many checks, always some are under way. */
const READ_MS = 500;
/** Long enough for what a dead replica had claimed to be done by the other one, and for two rounds more. */
const WATCHED_AFTER_MS = 22_000;
const isEndangered = (rollout: number): boolean => rollout % 2 === 1;

/** What both replicas have said, with the moment of the kill. */
interface Seen {
  readonly checked: Extract<Said, { checked: string }>[];
  readonly published: Extract<Said, { published: string }>[];
  readonly failed: string[];
}

/** Two replicas on one store; one is killed with SIGKILL. Thrown where a rollback has happened twice, or not at all. */
export async function twoReplicas(size: Size, ...[report]: Parameters<Bench>): Promise<void> {
  const server = await openServer('mongodb', { own: true });
  const clock = systemClock;
  const store = await openMongoStore({ url: server.url, clock });
  try {
    const early: string[] = [];
    const gatekeeper = instance(store, clock, recording(size), {
      onFailed: (_rollout, error) => early.push(String(error)),
    });
    const ids = await begin(gatekeeper, clock, size, isEndangered);
    const due = await spread(gatekeeper, ids, clock.now() + 3_000);
    const badFrom = clock.now() + KILL_AFTER_MS - BAD_BEFORE_MS;
    const seen: Seen = { checked: [], published: [], failed: early };
    const replicas = [1, 2].map(() =>
      open({ url: server.url, size, badFrom, readMs: READ_MS }, seen),
    );
    await Promise.all(replicas.map(({ ready }) => ready));
    await until(badFrom + BAD_BEFORE_MS);
    // The busier one: it has more under way.
    const [victim, heir] = replicas.toSorted((a, b) => b.count() - a.count());
    victim?.child.kill('SIGKILL');
    const killedAt = clock.now();
    await until(killedAt + WATCHED_AFTER_MS);
    const now = clock.now();
    heir?.child.kill('SIGTERM');
    if (heir?.child.exitCode === null) await once(heir.child, 'exit');
    if (seen.failed.length > 0) throw new Error(`Checks failed: ${seen.failed[0]}`);
    const starts = await rollbacksOf(gatekeeper, ids, seen);
    tell({ size, ids, due, seen, starts, now }, report);
  } finally {
    await store.close();
    await server.stop();
  }
}

function tell(
  found: {
    size: Size;
    ids: readonly string[];
    due: ReadonlyMap<string, number>;
    seen: Seen;
    starts: readonly number[];
    now: number;
  },
  report: Parameters<Bench>[0],
): void {
  const { size, ids, due, seen, starts, now } = found;
  const healthy = ids.filter((_, place) => !isEndangered(place));
  const delays = new Delays(due);
  for (const { checked, at, doneAt } of seen.checked.toSorted((a, b) => a.doneAt - b.doneAt))
    if (healthy.includes(checked)) delays.checked(checked, at, doneAt);
  const late = [...delays.done, ...delays.waiting(healthy, now)];
  const row = (name: string, value: number, unit: string) =>
    report({
      case: `${size.rollouts} rollouts, two replicas, one killed: ${name}`,
      subject: 'tidegate',
      value,
      unit,
    });
  row('delay of a check p50', Math.round(quantile(late, 0.5)), 'ms');
  row('delay of a check, longest', Math.round(Math.max(...late)), 'ms');
  report({
    case: `${size.rollouts} rollouts, two replicas, one killed: delay of a check, longest`,
    subject: 'limit',
    value: 2 * EVERY_MS,
    unit: 'ms',
  });
  row('rollbacks that had to begin', starts.length, 'rollouts');
  row('rollbacks that began not once', starts.filter((count) => count !== 1).length, 'rollouts');
}

/** By endangered rollout, how many rollbacks it has begun: distinct events that were published or are still owed. */
async function rollbacksOf(
  { rollouts }: Gatekeeper,
  ids: readonly string[],
  { published }: Seen,
): Promise<number[]> {
  const begun = new Map<string, Set<string>>();
  const note = (rollout: string, id: string) =>
    begun.set(rollout, (begun.get(rollout) ?? new Set()).add(id));
  for (const { type, rollout, published: id } of published)
    if (type === 'RollbackStarted') note(rollout, id);
  for (const id of ids)
    for (const { message } of (await rollouts.documents.load(id))?.outbox ?? [])
      if (message.type === 'RollbackStarted') note(id, message.metadata.id);
  return ids.filter((_, place) => isEndangered(place)).map((id) => begun.get(id)?.size ?? 0);
}

/** Spreads the checks over an interval that begins at `from`. */
async function spread(
  { checks: { documents } }: Gatekeeper,
  ids: readonly string[],
  from: number,
): Promise<ReadonlyMap<string, number>> {
  const due = new Map(
    ids.map((id, place) => [id, from + Math.round((place / ids.length) * EVERY_MS)]),
  );
  for (const [id, nextCheckAt] of due) {
    const document = await documents.load(id);
    if (!document) throw new Error(`${id} has no check.`);
    const change = { state: { ...document.state, nextCheckAt }, version: document.version + 1 };
    await documents.save(id, { ...change, outbox: [] }, document.token);
  }
  return due;
}

function open(given: Given, seen: Seen) {
  const script = join(import.meta.dirname, 'gatekeeper.replica.ts');
  const child: ChildProcess = spawn(process.execPath, [script, JSON.stringify(given)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  let checks = 0;
  const ready = new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error('A replica ended before it was ready.')));
    if (!child.stdout) return;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const said = JSON.parse(line) as Said;
      if ('ready' in said) resolve();
      if ('checked' in said) {
        checks += 1;
        seen.checked.push(said);
      }
      if ('published' in said) seen.published.push(said);
      if ('failed' in said) seen.failed.push(said.failed);
    });
  });
  return { child, ready, count: () => checks };
}

const until = (instant: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, instant - systemClock.now());
  });
