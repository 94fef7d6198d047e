import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { FakeFlagService, type Stream, state } from '../servers/fake-flag-service.ts';
import { isNightly } from './nightly.ts';
import { seeded } from './random.ts';
import type { Measure } from './storm-clients.ts';

const SEED = Number(process.env['FAULT_SEED'] ?? Date.now() % 100_000);
const STORM_MS = isNightly ? 30 * 60_000 : 120_000;
const CLIENTS = 20;
const FLAGS = 40;
/** More than this is a leak: one forgotten listener of one signal is 380. */
const MOST_BYTES_A_CONNECTION = 150;

jest.setTimeout(STORM_MS + 120_000);

const random = seeded(SEED);
let child: ChildProcess | undefined;
const service = await FakeFlagService.start();
const timers: NodeJS.Timeout[] = [];
afterAll(async () => {
  for (const timer of timers) clearTimeout(timer);
  child?.kill('SIGKILL');
  await service.stop();
});

/** By client, the streams that are open; more than one at a time is told. */
const open = new Map<string, Stream>();
const doubles: string[] = [];
let connections = 0;
let isStorm = true;

const ways: readonly ((stream: Stream) => void)[] = [
  (stream) => stream.destroy(),
  (stream) => stream.end(),
  (stream) => {
    stream.raw('event: flag\ndata: {"key":\n\n');
    stream.end();
  },
  (stream) => {
    stream.raw(`event: flag\ndata: ${JSON.stringify(state(1, 0)).slice(0, 40)}`);
    stream.destroy();
  },
];

function take(stream: Stream, serve: (stream: Stream) => void): void {
  const client = String(stream.authorization);
  connections += 1;
  const other = open.get(client);
  if (other && !other.isClosed) doubles.push(client);
  open.delete(client);
  if (isStorm && random() < 0.2) {
    stream.refuse(random() < 0.5 ? 500 : 502);
    return;
  }
  if (isStorm && random() < 0.1) {
    stream.destroy();
    return;
  }
  open.set(client, stream);
  serve(stream);
  if (!isStorm) return;
  timers.push(
    setTimeout(
      () => {
        open.delete(client);
        ways[Math.floor(random() * ways.length)]?.(stream);
      },
      10 + random() * 150,
    ),
  );
  if (timers.length > 10_000) timers.splice(1, 5_000);
}

let version = 1;
function change(): void {
  version += 1;
  const key = `flag-${Math.floor(random() * FLAGS)}`;
  const next = state(version, random() < 0.5 ? 0 : 100_000, { key });
  service.view.apply(next);
  for (const stream of open.values()) if (!stream.isClosed) stream.send('flag', next);
}

async function ask(message: 'measure' | 'close'): Promise<Measure> {
  const answered = once(child as ChildProcess, 'message');
  child?.send(message);
  const [measure] = (await answered) as [Measure];
  return measure;
}

/** The lowest of some: what is under way at the moment is not what stays. */
async function heapNow(): Promise<number> {
  let lowest = Infinity;
  for (let asked = 0; asked < 8; asked += 1)
    lowest = Math.min(lowest, (await ask('measure')).heapBytes);
  return lowest;
}

it(`a storm of connections costs clients no memory, no second connection and nothing that is left after close (FAULT_SEED=${SEED})`, async () => {
  const { onStream } = service;
  service.onStream = (stream) => {
    take(stream, onStream);
  };
  for (let index = 0; index < FLAGS; index += 1)
    service.view.apply(state(1, 0, { key: `flag-${index}` }));
  child = fork(join(import.meta.dirname, 'storm-clients.ts'), [service.url, String(CLIENTS)], {
    execArgv: ['--expose-gc'],
  });
  const changing = setInterval(change, 20);
  timers.push(changing);
  const started = performance.now();
  const passed = (part: number) => performance.now() - started > STORM_MS * part;

  await eventually(() => passed(0.25), STORM_MS);
  const warm = await ask('measure');
  const warmBytes = await heapNow();
  const before = connections;
  await eventually(() => passed(1), STORM_MS * 2);
  const late = await ask('measure');
  expect(connections - before).toBeGreaterThan(500);
  const lateBytes = await heapNow();
  expect((lateBytes - warmBytes) / (connections - before)).toBeLessThan(MOST_BYTES_A_CONNECTION);
  expect(doubles).toEqual([]);
  // A stream and a heartbeat.
  expect(late.sockets).toBeLessThanOrEqual(2 * CLIENTS);
  expect(late.timers).toBeGreaterThan(0);
  expect(late.timers).toBeLessThanOrEqual(10 * CLIENTS);
  expect(late.told).toBeGreaterThan(warm.told);

  isStorm = false;
  clearInterval(changing);
  await eventually(async () => {
    const { digests, states } = await ask('measure');
    return (
      states.every((each) => each === 'ready') &&
      digests.filter((digest) => digest === service.view.digest).length === CLIENTS
    );
  }, 30_000);
  const exited = once(child, 'exit');
  expect((await ask('close')).timers).toBe(0);
  expect(await exited).toEqual([0, null]);
});
