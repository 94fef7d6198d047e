/**
 * Many clients of one flag-service, in a process of their own, so that nothing but they is in its heap:
 * `storm-clients.ts <url> <how many>`. Answers `measure` with a `Measure`, and ends by itself after `close`.
 */
import type { Tidegate } from '@tidegate/sdk';

export interface Measure {
  readonly heapBytes: number;
  readonly sockets: number;
  /** That were set and are neither over nor cleared, also those that keep no process alive. */
  readonly timers: number;
  /** Changes that were handed to watchers. */
  readonly told: number;
  /** The digest of each client. */
  readonly digests: readonly string[];
  readonly states: readonly string[];
}

const timers = countTimers();
const { createTidegate } = await import('@tidegate/sdk');

const [url = '', count = '1'] = process.argv.slice(2);
let told = 0;
const clients = Array.from({ length: Number(count) }, (_, index) => connect(index));

function connect(index: number): Tidegate {
  const client = createTidegate({
    url,
    environment: 'production',
    // The server tells clients apart by their key.
    key: `client-${index}`,
    firstRetryMs: 1,
    longestRetryMs: 20,
    idleTimeoutMs: 2_000,
    heartbeatEveryMs: 200,
  });
  client.onFlagChanged('flag-0', () => {
    told += 1;
  });
  // Whoever listens for a while leaves nothing behind.
  client.onStatus(() => {
    client.onChange('*', () => undefined)();
    client.onFlagChanged('flag-1', () => undefined)();
    client.ready(1_000).catch(() => undefined);
  });
  return client;
}

function measure(): Measure {
  for (let round = 0; round < 3; round += 1) globalThis.gc?.();
  const sockets = process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap');
  return {
    heapBytes: process.memoryUsage().heapUsed,
    sockets: sockets.length,
    timers: timers.size,
    told,
    digests: clients.map(({ status }) => status.digest),
    states: clients.map(({ status }) => status.state),
  };
}

process.on('message', (message) => {
  void answer(message === 'close');
});

async function answer(isLast: boolean): Promise<void> {
  if (isLast) await Promise.all(clients.map((client) => client.close()));
  process.send?.(measure());
  if (isLast) process.disconnect();
}

/** Those of the SDK: what Node itself keeps for connections is its own. */
function countTimers(): ReadonlySet<unknown> {
  const { setTimeout, clearTimeout } = globalThis;
  const running = new Set<unknown>();
  const counted = (call: (...given: unknown[]) => void, ms?: number, ...given: unknown[]) => {
    const timer = setTimeout(() => {
      running.delete(timer);
      call(...given);
    }, ms);
    if (new Error('here').stack?.includes('/libs/sdk/')) running.add(timer);
    return timer;
  };
  globalThis.setTimeout = Object.assign(counted, setTimeout);
  globalThis.clearTimeout = (timer) => {
    running.delete(timer);
    clearTimeout(timer);
  };
  return running;
}
