import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Tidegate } from '@tidegate/sdk';
import {
  ENVIRONMENT,
  type House,
  megabytes,
  onDrivers,
  openOnServers,
  openStandalone,
} from './house.process.ts';
import { type BareLoop, openBareLoop } from './loop.bare.ts';
import {
  everywhere,
  flagAt,
  FLAGS,
  onStreams,
  onTopic,
  opens,
  SUBSCRIBERS,
} from './loop.clients.ts';
import type { Row } from './main.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 2_000);
/** Each is a rollout of its own, from its start to its end: on a slow store they take a second or more. */
const BREACHES = Number(process.env['BREACHES'] ?? ROUNDS);
const WARM_UP = 50;
const STARTS = 5;
const IDLE_MS = 10_000;
const PAGE = Buffer.alloc(4_096, 1);

/** The time, ms, from a request's sending to its effect in every client. */
async function changed({ ask }: House, clients: readonly Tidegate[], round: number) {
  const percentage = 1 + (round % 100);
  const applied = everywhere(clients, 'changing', opens(percentage));
  const sent = performance.now();
  await ask('PUT', 'flag-service', `${FLAGS}/changing`, flagAt(percentage));
  return (await applied) - sent;
}

/** One long stage, opened at once, that nothing but a breach ends. */
const PLAN =
  'plan: breached\nflag: breached\nsteps:\n  - { stage: all, percentage: 100, hold: 1h }\n';

/** A rollout begins, opens its flag and is breached: the time from that request to the flag as it was. */
async function breached({ ask }: House, clients: readonly Tidegate[]) {
  const open = everywhere(clients, 'breached', opens(100));
  const body = { plan: 'breached', environment: ENVIRONMENT };
  const { id } = await ask('POST', 'metrics-gatekeeper', '/v1/rollouts', body);
  await open;
  const off = everywhere(clients, 'breached', opens(0));
  const released = everywhere(clients, 'breached', ({ hold }) => hold === undefined);
  const sent = performance.now();
  await ask('POST', 'metrics-gatekeeper', '/v1/breaches', {
    environment: ENVIRONMENT,
    rollout: id,
    guard: 'complaints',
    message: 'Five complaints in ten minutes.',
  });
  const tookMs = (await off) - sent;
  await released;
  return tookMs;
}

/** Ascending, by subject. */
interface Took {
  readonly tidegate: readonly number[];
  /** One page made durable after each round: what the disk allowed anybody at the same time. */
  readonly fsync: readonly number[];
  /** The same hops by the drivers alone, after each round. */
  readonly bare?: readonly number[];
}

async function rounds(
  count: number,
  run: (round: number) => Promise<number>,
  folder: string,
  bareHops?: () => Promise<void>,
): Promise<Took> {
  for (let round = 0; round < Math.min(WARM_UP, count); round += 1) await run(round);
  const tidegate: number[] = [];
  const fsync: number[] = [];
  const bare: number[] = [];
  const file = openSync(join(folder, 'page'), 'w');
  for (let round = 0; round < count; round += 1) {
    tidegate.push(await run(WARM_UP + round));
    const begun = performance.now();
    writeSync(file, PAGE);
    fdatasyncSync(file);
    fsync.push(performance.now() - begun);
    if (!bareHops) continue;
    const bareBegun = performance.now();
    await bareHops();
    bare.push(performance.now() - bareBegun);
  }
  closeSync(file);
  const ascending = (a: number, b: number): number => a - b;
  const took = { tidegate: tidegate.sort(ascending), fsync: fsync.sort(ascending) };
  return bareHops ? { ...took, bare: bare.sort(ascending) } : took;
}

function report(rows: (row: Row) => void, what: string, took: Took, limitMs: number): void {
  const name = `${what}, ${SUBSCRIBERS} subscribers, ${took.tidegate.length} rounds`;
  for (const [of, share] of [
    ['p50', 0.5],
    ['p99', 0.99],
    ['max', 1],
  ] as const)
    for (const [subject, sorted] of Object.entries(took)) {
      const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
      rows({ case: `${name}: ${of}`, subject, value: Math.round(value * 100) / 100, unit: 'ms' });
    }
  rows({ case: `${name}: p99`, subject: 'limit', value: limitMs, unit: 'ms' });
}

async function starts(folder: string, rows: (row: Row) => void): Promise<void> {
  const seconds: number[] = [];
  for (let count = 0; count < STARTS; count += 1) {
    const house = await openStandalone(join(folder, `start-${count}`));
    seconds.push(house.readyMs / 1_000);
    const [standalone] = house.processes;
    if (count === STARTS - 1 && standalone) {
      await wait(IDLE_MS);
      const idle = 'standalone, idle for 10 s: resident';
      rows({ case: idle, subject: 'tidegate', value: megabytes(standalone), unit: 'MB' });
      rows({ case: idle, subject: 'limit', value: 250, unit: 'MB' });
    }
    await house.stop();
  }
  const median = seconds.sort((a, b) => a - b)[Math.floor(STARTS / 2)] ?? 0;
  const ready = `standalone, start to ready, median of ${STARTS}`;
  rows({ case: ready, subject: 'tidegate', value: Math.round(median * 100) / 100, unit: 's' });
  rows({ case: ready, subject: 'limit', value: 2, unit: 's' });
}

interface Loop {
  /** Stands before the names of its cases. */
  readonly on: string;
  readonly clients: readonly Tidegate[];
  readonly limitMs: { readonly change: number; readonly breach: number };
  readonly bare?: BareLoop;
}

async function measure(
  house: House,
  { on, clients, limitMs, bare }: Loop,
  folder: string,
  rows: (row: Row) => void,
): Promise<void> {
  await Promise.all(clients.map((client) => client.ready()));
  const changes = await rounds(
    ROUNDS,
    (round) => changed(house, clients, round),
    folder,
    bare?.change,
  );
  report(rows, `${on}: change request sent to applied in every SDK`, changes, limitMs.change);
  const breaches = await rounds(BREACHES, () => breached(house, clients), folder, bare?.breach);
  report(rows, `${on}: breach request sent to flag as it was`, breaches, limitMs.breach);
  await Promise.all(clients.map((client) => client.close()));
}

async function furnish({ ask }: House): Promise<void> {
  await ask('PUT', 'flag-service', `/v1/environments/${ENVIRONMENT}`);
  for (const key of ['changing', 'breached'])
    await ask('PUT', 'flag-service', `${FLAGS}/${key}`, flagAt(0));
  await ask('PUT', 'metrics-gatekeeper', '/v1/plans/breached', PLAN);
}

async function embedded(folder: string, rows: (row: Row) => void): Promise<void> {
  await starts(folder, rows);
  const house = await openStandalone(join(folder, 'loop'));
  await furnish(house);
  const clients = await onStreams(house);
  const limitMs = { change: 20, breach: 100 };
  await measure(house, { on: 'embedded', clients, limitMs }, folder, rows);
  await house.stop();
}

async function onKafka(folder: string, rows: (row: Row) => void): Promise<void> {
  const house = await openOnServers(join(folder, 'servers'));
  await furnish(house);
  const { kafka = '', mongodb = '' } = house.servers ?? {};
  const bare = await openBareLoop(kafka, mongodb, SUBSCRIBERS);
  const limitMs = { change: 50, breach: 250 };
  for (const [on, open] of [
    ['Kafka, SDK on the stream', onStreams],
    ['Kafka, SDK on the topic', onTopic],
  ] as const)
    await measure(house, { on, clients: await open(house), limitMs, bare }, folder, rows);
  await bare.close();
  await house.stop();
}

/** ROUNDS, BREACHES: fewer. */
export default onDrivers({ embedded, kafka: onKafka });
