import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { Tidegate } from '@tidegate/sdk';
import {
  ENVIRONMENT,
  type House,
  megabytes,
  onDrivers,
  openOnServers,
  openScript,
  openStandalone,
} from './house.process.ts';
import { openBareLoop } from './loop.bare.ts';
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
import type { FromReaders, Told } from './propagation.readers.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 1_000);
/** Readers, and the part of the rounds that they are told. */
const CROWDS = [
  [1_000, 0.3],
  [10_000, 0.1],
] as const;
const WARM_UP = 20;
const WITHIN_MS = 60_000;
const HEALTH_EVERY = 5;

type Report = (row: Row) => void;

const wallClock = (): number => performance.timeOrigin + performance.now();

function spread(report: Report, name: string, subject: string, took: readonly number[]): void {
  const sorted = took.toSorted((a, b) => a - b);
  for (const [of, share] of [
    ['p50', 0.5],
    ['p99', 0.99],
    ['max', 1],
  ] as const) {
    const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    report({ case: `${name}: ${of}`, subject, value: Math.round(value * 100) / 100, unit: 'ms' });
  }
}

async function repeated(count: number, run: (round: number) => Promise<number>): Promise<number[]> {
  for (let round = 0; round < Math.min(WARM_UP, count); round += 1) await run(round);
  const took: number[] = [];
  for (let round = 0; round < count; round += 1) took.push(await run(WARM_UP + round));
  return took;
}

let changes = 0;
/** Asks for a change, and gives the version that it made. */
async function change({ ask }: House): Promise<number> {
  changes += 1;
  const { version } = (await ask(
    'PUT',
    'flag-service',
    `${FLAGS}/changing`,
    flagAt(1 + (changes % 100)),
  )) as unknown as { version: number };
  return version;
}

/** SDKs, as applications have them. */
async function sdks(
  house: House,
  name: string,
  open: () => Promise<readonly Tidegate[]>,
  report: Report,
  bare?: () => Promise<void>,
): Promise<void> {
  const clients = await open();
  await Promise.all(clients.map((client) => client.ready()));
  const hops: number[] = [];
  const took = await repeated(ROUNDS, async () => {
    const begun = performance.now();
    await bare?.();
    hops.push(performance.now() - begun);
    const applied = everywhere(clients, 'changing', opens(1 + ((changes + 1) % 100)));
    const sent = performance.now();
    await change(house);
    return (await applied) - sent;
  });
  spread(report, name, 'tidegate', took);
  if (bare) spread(report, name, 'bare', hops);
  await Promise.all(clients.map((client) => client.close()));
}

interface Crowd {
  /** Resolves when all of them have been told of this version. */
  told(version: number): Promise<Told>;
  lost(): number;
  close(): void;
}

async function crowd(count: number, key: string, streams: readonly string[]): Promise<Crowd> {
  const file = join(import.meta.dirname, 'propagation.readers.ts');
  const child: ChildProcess = fork(file, [String(count), key, ...streams]);
  process.once('exit', () => child.kill('SIGKILL'));
  const early = new Map<number, Told>();
  const waiting = new Map<number, (told: Told) => void>();
  const connected = Promise.withResolvers<void>();
  let lost = 0;
  child.on('message', (message: FromReaders) => {
    if (message === 'connected') return connected.resolve();
    if ('lost' in message) return void (lost = message.lost);
    const tell = waiting.get(message.version);
    if (tell) tell(message);
    else early.set(message.version, message);
  });
  await connected.promise;
  return {
    told: (version) =>
      within(early.get(version) ?? new Promise((tell) => waiting.set(version, tell))),
    lost: () => lost,
    close: () => child.kill('SIGKILL'),
  };
}

async function within<T>(answer: T | Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('Not all readers were told in time.')), WITHIN_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** How long a small request takes while everybody is told. */
async function health(house: House): Promise<number> {
  const begun = performance.now();
  await (await fetch(`${house.urls['flag-service']?.[0]}/health/live`)).text();
  return performance.now() - begun;
}

async function readers(
  house: House,
  on: string,
  [count, share]: (typeof CROWDS)[number],
  report: Report,
): Promise<void> {
  const name = `${on}: change to ${count} streams`;
  const replicas = house.urls['flag-service'] ?? [];
  const streams = replicas.map((url) => `${url}/v1/environments/${ENVIRONMENT}/stream`);
  const servers = house.flagServices;
  const resident = () => servers.reduce((sum, server) => sum + megabytes(server), 0);
  const before = resident();
  const { told, lost, close } = await crowd(count, house.sdkKey, streams);
  const kilobytes = ((resident() - before) * 1_024) / count;
  const healthy: number[] = [];
  const took = await repeated(Math.ceil(ROUNDS * share), async (round) => {
    const sent = wallClock();
    const changed = change(house);
    if (round % HEALTH_EVERY === 0) healthy.push(await health(house));
    return (await told(await changed)).lastAt - sent;
  });
  spread(report, name, 'tidegate', took);
  spread(report, `${name}, /health/live meanwhile`, 'tidegate', healthy);
  const memory = { case: `${name}: resident for each`, subject: 'tidegate', unit: 'KB' };
  report({ ...memory, value: Math.round(kilobytes * 10) / 10 });
  report({ case: `${name}: lost`, subject: 'tidegate', value: lost(), unit: 'streams' });
  close();
}

async function bareReaders([count, share]: (typeof CROWDS)[number], report: Report): Promise<void> {
  const bare = await openScript('propagation.bare.ts');
  const { told, close } = await crowd(count, '', [`${bare.url}/stream`]);
  const record = { key: 'changing', epoch: 1, version: 0, flag: { definition: 'x'.repeat(500) } };
  let version = 0;
  const took = await repeated(Math.ceil(ROUNDS * share), async () => {
    version += 1;
    const body = `event: flag\ndata: ${JSON.stringify({ ...record, version })}\n\n`;
    const sent = wallClock();
    await fetch(bare.url, { method: 'POST', body });
    return (await told(version)).lastAt - sent;
  });
  spread(report, `write to ${count} streams`, 'bare', took);
  close();
  await bare.stop();
}

async function furnish({ ask }: House): Promise<void> {
  await ask('PUT', 'flag-service', `/v1/environments/${ENVIRONMENT}`);
  await ask('PUT', 'flag-service', `${FLAGS}/changing`, flagAt(0));
}

async function embedded(folder: string, report: Report): Promise<void> {
  const house = await openStandalone(join(folder, 'embedded'));
  await furnish(house);
  const name = `embedded: change to ${SUBSCRIBERS} SDKs on streams`;
  await sdks(house, name, () => onStreams(house), report);
  for (const each of CROWDS) {
    await readers(house, 'embedded', each, report);
    await bareReaders(each, report);
  }
  await house.stop();
}

async function onKafka(folder: string, report: Report): Promise<void> {
  const house = await openOnServers(join(folder, 'servers'));
  await furnish(house);
  const { kafka = '', mongodb = '' } = house.servers ?? {};
  const bare = await openBareLoop(kafka, mongodb, SUBSCRIBERS);
  for (const [what, open] of [
    ['streams', onStreams],
    ['the topic', onTopic],
  ] as const) {
    const name = `Kafka: change to ${SUBSCRIBERS} SDKs on ${what}`;
    await sdks(house, name, () => open(house), report, bare.change);
  }
  await bare.close();
  for (const each of CROWDS) await readers(house, 'Kafka', each, report);
  await house.stop();
}

/** ROUNDS: fewer. */
export default onDrivers({ embedded, kafka: onKafka });
