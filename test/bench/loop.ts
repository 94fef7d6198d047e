import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { newApiKey } from '@tidegate/contracts';
import { isRejection } from '@tidegate/kernel';
import { createTidegate, type FlagChange, type Tidegate } from '@tidegate/sdk';
import type { Bench, Row } from './main.ts';

const STANDALONE = join(import.meta.dirname, '../../apps/standalone/dist/main.js');
const SUBSCRIBERS = 10;
const CHANGES = Number(process.env['ROUNDS'] ?? 2_000);
/** Each is a rollout of its own, from its start to its end. */
const BREACHES = Number(process.env['ROUNDS'] ?? 400);
const WARM_UP = 50;
const STARTS = 5;
const IDLE_MS = 10_000;
const WITHIN_MS = 10_000;
const PAGE = Buffer.alloc(4_096, 1);
const ENVIRONMENT = 'production';
const FLAGS = `/v1/environments/${ENVIRONMENT}/flags`;

interface House {
  readonly child: ChildProcess;
  readonly readyMs: number;
  readonly urls: Readonly<Record<string, string>>;
  readonly sdkKey: string;
  ask(
    method: 'PUT' | 'POST',
    service: string,
    path: string,
    body?: unknown,
  ): Promise<{ id: string }>;
  stop(): Promise<void>;
}

/** Standalone in a process of its own, on free ports. */
async function openHouse(folder: string): Promise<House> {
  const { key: sdkKey, line } = sdkKeyOf();
  const keysFile = `${folder}.keys`;
  await writeFile(keysFile, line);
  const begun = performance.now();
  // NODE_ARGUMENTS: for profiles, such as --cpu-prof.
  const args = [...(process.env['NODE_ARGUMENTS']?.split(' ') ?? []), STANDALONE];
  const child = spawn(process.execPath, args, {
    env: {
      PATH: process.env['PATH'],
      DATA_DIR: folder,
      PORT_BASE: '0',
      API_KEYS_FILE: keysFile,
      RATE_LIMIT_PER_MINUTE: '10000000', // counted, but one key makes more changes here than anybody
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    output += String(chunk);
    if (output.includes('Ctrl-C stops it.')) break;
  }
  const readyMs = performance.now() - begun;
  const urls = Object.fromEntries(
    [...output.matchAll(/^\s+([a-z-]+)\s+(http:\S+)\/docs$/gm)].map(([, name, url]) => [name, url]),
  ) as Record<string, string>;
  const key = readFileSync(join(folder, 'admin.key'), 'utf8').trim();
  return {
    child,
    readyMs,
    urls,
    sdkKey,
    ask: async (method, service, path, body) => {
      const isText = typeof body === 'string';
      const request: RequestInit = {
        method,
        headers: {
          authorization: `Bearer ${key}`,
          'content-type': isText ? 'application/yaml' : 'application/json',
        },
        body: isText ? body : JSON.stringify(body ?? {}),
      };
      const response = await fetch(`${urls[service]}${path}`, request);
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      return (await response.json()) as { id: string };
    },
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGINT');
      await ended;
    },
  };
}

function sdkKeyOf() {
  const made = newApiKey(
    { name: 'bench', role: 'sdk', environments: [ENVIRONMENT] },
    randomBytes(32),
    (text) => createHash('sha256').update(text).digest('hex'),
  );
  if (isRejection(made)) throw new Error(made.message);
  return made;
}

const flagAt = (percentage: number) => ({
  type: 'boolean',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  offVariant: 'off',
  exposure: { variant: 'on', percentage },
});

type Flag = NonNullable<FlagChange['after']['flag']>;

/** Resolves, with the time of the last one, when every client holds a flag that is so. */
function everywhere(
  clients: readonly Tidegate[],
  key: string,
  isSo: (flag: Flag) => boolean,
): Promise<number> {
  const missing = new Set(clients);
  return new Promise((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Error(`${missing.size} clients did not get ${key} in time.`)),
      WITHIN_MS,
    );
    for (const client of clients) {
      const stop = client.onChange(key, ({ after: { flag } }) => {
        if (!flag || !isSo(flag)) return;
        stop();
        missing.delete(client);
        if (missing.size > 0) return;
        clearTimeout(late);
        resolve(performance.now());
      });
    }
  });
}

const opens = (percentage: number) => (flag: Flag) =>
  flag.definition.exposure.percentage === percentage * 1_000;

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

interface Took {
  readonly tidegate: readonly number[];
  /** One page made durable after each round: what the disk allowed anybody at the same time. */
  readonly fsync: readonly number[];
}

async function rounds(
  count: number,
  run: (round: number) => Promise<number>,
  folder: string,
): Promise<Took> {
  for (let round = 0; round < Math.min(WARM_UP, count); round += 1) await run(round);
  const tidegate: number[] = [];
  const fsync: number[] = [];
  const file = openSync(join(folder, 'page'), 'w');
  for (let round = 0; round < count; round += 1) {
    tidegate.push(await run(WARM_UP + round));
    const begun = performance.now();
    writeSync(file, PAGE);
    fdatasyncSync(file);
    fsync.push(performance.now() - begun);
  }
  closeSync(file);
  const ascending = (a: number, b: number): number => a - b;
  return { tidegate: tidegate.sort(ascending), fsync: fsync.sort(ascending) };
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

const megabytes = ({ pid }: ChildProcess): number => {
  const [, kilobytes] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kilobytes) / 102.4) / 10;
};

async function starts(folder: string, rows: (row: Row) => void): Promise<void> {
  const seconds: number[] = [];
  for (let count = 0; count < STARTS; count += 1) {
    const house = await openHouse(join(folder, `start-${count}`));
    seconds.push(house.readyMs / 1_000);
    if (count === STARTS - 1) {
      await wait(IDLE_MS);
      const idle = 'standalone, idle for 10 s: resident';
      rows({ case: idle, subject: 'tidegate', value: megabytes(house.child), unit: 'MB' });
      rows({ case: idle, subject: 'limit', value: 250, unit: 'MB' });
    }
    await house.stop();
  }
  const median = seconds.sort((a, b) => a - b)[Math.floor(STARTS / 2)] ?? 0;
  const ready = `standalone, start to ready, median of ${STARTS}`;
  rows({ case: ready, subject: 'tidegate', value: Math.round(median * 100) / 100, unit: 's' });
  rows({ case: ready, subject: 'limit', value: 2, unit: 's' });
}

const bench: Bench = async (rows) => {
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-bench-'));
  try {
    await starts(folder, rows);
    const house = await openHouse(join(folder, 'loop'));
    await house.ask('PUT', 'flag-service', `/v1/environments/${ENVIRONMENT}`);
    for (const key of ['changing', 'breached'])
      await house.ask('PUT', 'flag-service', `${FLAGS}/${key}`, flagAt(0));
    await house.ask('PUT', 'metrics-gatekeeper', '/v1/plans/breached', PLAN);
    const url = house.urls['flag-service'] ?? '';
    const clients = Array.from({ length: SUBSCRIBERS }, (_, n) =>
      createTidegate({ url, environment: ENVIRONMENT, key: house.sdkKey, instance: `bench-${n}` }),
    );
    await Promise.all(clients.map((client) => client.ready()));
    const changes = await rounds(CHANGES, (round) => changed(house, clients, round), folder);
    report(rows, 'change request sent to applied in every SDK', changes, 20);
    const breaches = await rounds(BREACHES, () => breached(house, clients), folder);
    report(rows, 'breach request sent to flag as it was in every SDK', breaches, 100);
    await Promise.all(clients.map((client) => client.close()));
    await house.stop();
  } finally {
    await rm(folder, { recursive: true });
  }
};
export default bench;
