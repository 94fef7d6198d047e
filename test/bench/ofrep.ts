import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import autocannon from 'autocannon';
import { ENVIRONMENT, openFlagService, openScript } from './house.process.ts';
import type { Bench } from './main.ts';

const FLAGS = 100;
const CONNECTIONS = 32;
const ROUNDS = Number(process.env['ROUNDS'] ?? 15);
const SECONDS = Number(process.env['SECONDS'] ?? 2);
const TICKS_A_SECOND = 100;
const OFREP = '/ofrep/v1/evaluate/flags';

const body = JSON.stringify({ context: { targetingKey: 'user-4711', plan: 'pro', country: 'CA' } });
const flag = {
  type: 'boolean',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  offVariant: 'off',
  exposure: { variant: 'on', percentage: 50 },
};

interface Subject {
  readonly subject: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly process: ChildProcess;
}

interface Took {
  readonly perSecond: number;
  readonly p99Ms: number;
  /** Of the server, whatever the load generator allows. */
  readonly cpuMicros: number;
}

/** User and system time of a process, in seconds. */
function cpuOf({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

async function load({ url, headers, process: server }: Subject, seconds: number): Promise<Took> {
  const before = cpuOf(server);
  const result = await autocannon({
    url,
    method: 'POST',
    body,
    headers: { ...headers, 'content-type': 'application/json' },
    connections: CONNECTIONS,
    duration: seconds,
  });
  if (result.non2xx + result.errors > 0) throw new Error(`${url} failed under load.`);
  const count = result.requests.total;
  const cpuMicros = ((cpuOf(server) - before) * 1_000_000) / count;
  return { perSecond: result.requests.average, p99Ms: result.latency.p99, cpuMicros };
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** One after the other, again and again: what the machine does besides hits all of them alike. */
async function compare(
  subjects: readonly Subject[],
  what: { readonly name: string; readonly limit: number },
  report: Parameters<Bench>[0],
): Promise<void> {
  for (const subject of subjects) await load(subject, Math.min(2, SECONDS));
  const took = new Map<string, Took[]>(subjects.map(({ subject }) => [subject, []]));
  for (let round = 0; round < ROUNDS; round += 1)
    for (const each of subjects) took.get(each.subject)?.push(await load(each, SECONDS));
  const shown = (field: keyof Took, subject: string): number =>
    Math.round(median((took.get(subject) ?? []).map((each) => each[field])) * 10) / 10;
  for (const [field, kind, unit] of [
    ['perSecond', 'requests', 'requests/s'],
    ['p99Ms', 'p99', 'ms'],
    ['cpuMicros', 'CPU of a request', 'µs'],
  ] as const)
    for (const { subject } of subjects)
      report({ case: `${what.name}: ${kind}`, subject, value: shown(field, subject), unit });
  // Of neighbours in time, and in the middle of all rounds.
  const [ours = [], theirs = []] = subjects.map(({ subject }) => took.get(subject) ?? []);
  const ratios = ours.map(({ perSecond }, round) => perSecond / (theirs[round]?.perSecond ?? 1));
  const share = `${what.name}: share of the bare route's requests/s`;
  const percent = Math.round(median(ratios) * 1_000) / 10;
  report({ case: share, subject: 'tidegate', value: percent, unit: '%' });
  report({ case: share, subject: 'limit', value: what.limit, unit: '%' });
}

/** ROUNDS, SECONDS: fewer. */
const bench: Bench = async (report) => {
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-bench-'));
  const house = await openFlagService(folder);
  const bare = await openScript('ofrep.bare.ts');
  try {
    const flags = `/v1/environments/${ENVIRONMENT}/flags`;
    await house.ask('PUT', 'flag-service', `/v1/environments/${ENVIRONMENT}`);
    for (let n = 0; n < FLAGS; n += 1)
      await house.ask('PUT', 'flag-service', `${flags}/flag-${n}`, flag);
    const [service = ''] = house.urls['flag-service'] ?? [];
    const [process] = house.processes;
    if (!process) throw new Error('flag-service has not started.');
    const headers = { authorization: `Bearer ${house.sdkKey}` };
    for (const what of [
      { name: 'one flag', path: `${OFREP}/flag-7`, limit: 80 },
      { name: `all of ${FLAGS} flags`, path: OFREP, limit: 50 },
    ]) {
      const ours = { subject: 'tidegate', url: service + what.path, headers, process };
      const answer = await fetch(ours.url, {
        method: 'POST',
        body,
        headers: { ...headers, 'content-type': 'application/json' },
      });
      const path = `${bare.url}/answers/answer`;
      await fetch(path, {
        method: 'PUT',
        body: await answer.text(),
        headers: { 'content-type': 'application/json' },
      });
      const fastify = { subject: 'fastify', url: path, headers, process: bare.child };
      await compare([ours, fastify], what, report);
    }
  } finally {
    await Promise.all([house.stop(), bare.stop()]);
    await rm(folder, { recursive: true });
  }
};
export default bench;
