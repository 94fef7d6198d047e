import { afterEach, describe, expect, it } from '@jest/globals';
import { SecurityEventRecorded } from '@tidegate/contracts';
import { sequentialIds } from '@tidegate/kernel/testing';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { openEmbeddedBus } from './bus.embedded.ts';
import type { Bus, Delivery } from './bus.port.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function newFile(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'tidegate-bus-'));
  closing.push(() => {
    rmSync(folder, { recursive: true });
  });
  return path.join(folder, 'bus.db');
}

const PRELUDE = `
  import { openEmbeddedBus } from ${JSON.stringify(new URL('bus.embedded.ts', import.meta.url))};
  import { SecurityEventRecorded } from '@tidegate/contracts';
  const { type, topic } = SecurityEventRecorded;
  const event = (n) => ({
    topic, type, key: 'key-' + (n % 7),
    data: { service: 'key-' + (n % 7), event: 'counted', message: String(n), details: {} },
    metadata: { id: 'm-' + n, source: 'child', at: 1, actor: 'child', correlationId: 'c' },
  });
  let count = 0;
  const ids = { next: () => 'id-' + ++count };
  const open = () =>
    openEmbeddedBus({ file: process.argv[1], clock: { now: Date.now }, ids, source: 'child' });
  // Nothing of the bus keeps a process alive.
  setInterval(() => {}, 1_000);
`;

/** A process of its own that has the file, and tells by lines. */
function child(file: string, program: string): ChildProcessWithoutNullStreams {
  const started = spawn(
    process.execPath,
    ['--input-type=module', '--disable-warning=ExperimentalWarning', '-e', PRELUDE + program, file],
    { cwd: import.meta.dirname },
  );
  started.stderr.pipe(process.stderr);
  closing.push(() => started.kill('SIGKILL'));
  return started;
}

async function openHere(file: string): Promise<Bus> {
  const bus = await openEmbeddedBus({
    file,
    clock: { now: Date.now },
    ids: sequentialIds(),
    source: 'spec',
  });
  closing.push(() => bus.close());
  return bus;
}

const numberOf = ({ message }: Delivery) => Number((message.data as { message: string }).message);

/** Everything that the log gives to a group until nothing is left. */
async function drain(bus: Bus): Promise<number[]> {
  const numbers: number[] = [];
  await bus.subscribe({
    group: 'reader',
    topics: [SecurityEventRecorded.topic],
    types: new Set([SecurityEventRecorded.type]),
    handle: async (delivery) => numbers.push(numberOf(delivery)),
  });
  while ((await bus.lag()).some(({ records }) => records > 0)) await new Promise(setImmediate);
  return numbers;
}

describe('a process that has the bus', () => {
  it('keeps others out, until it is killed', async () => {
    const file = newFile();
    const first = child(file, `await open(); console.log('open');`);
    await once(createInterface(first.stdout), 'line');
    await expect(openHere(file)).rejects.toMatchObject({
      code: 'BUS_IN_USE',
      message: expect.stringContaining(file),
    });
    first.kill('SIGKILL');
    await once(first, 'exit');
    await (await openHere(file)).check();
  });

  it('loses no acknowledged message when it is killed while it publishes', async () => {
    const file = newFile();
    for (const round of [1, 2]) {
      const publisher = child(
        file,
        `const bus = await open();
         for (let n = ${round} * 1_000_000; ; n += 10) {
           await Promise.all(Array.from({ length: 10 }, (_, m) => bus.publish([event(n + m)])));
           console.log(n + 9);
         }`,
      );
      let acknowledged = 0;
      const lines = createInterface(publisher.stdout);
      lines.on('line', (line) => {
        acknowledged = Number(line);
        if (acknowledged >= round * 1_000_000 + 2_000) publisher.kill('SIGKILL');
      });
      await once(lines, 'close');
      const bus = await openHere(file);
      const numbers = new Set(await drain(bus));
      await bus.close();
      const first = round * 1_000_000;
      const missing = [];
      for (let n = first; n <= acknowledged; n += 1) if (!numbers.has(n)) missing.push(n);
      expect(acknowledged).toBeGreaterThanOrEqual(first + 2_000);
      expect(missing).toEqual([]);
    }
  }, 20_000);

  it('is not ended for ever by the same message: after three deaths it is given up', async () => {
    const file = newFile();
    const program = `
      const bus = await open();
      if (process.env.ROUND === '1') await bus.publish(Array.from({ length: 50 }, (_, n) => event(n)));
      bus.onReport((report) => console.log(report.kind, report.letter?.reason));
      let handled = 0;
      await bus.subscribe({
        group: 'g', topics: [topic], types: new Set([type]),
        handle: async ({ message }) => {
          if (message.data.message === '20') process.exit(1);
          handled += 1;
        },
      });
      while ((await bus.lag()).some(({ records }) => records > 0)) await new Promise(setImmediate);
      await bus.close();
      process.exit(0);`;
    const codes: unknown[] = [];
    let output = '';
    for (let round = 1; codes.at(-1) !== 0 && round < 8; round += 1) {
      const running = child(file, `process.env.ROUND = '${round}';${program}`);
      running.stdout.on('data', (data) => (output += String(data)));
      const [code] = (await once(running, 'exit')) as unknown[];
      codes.push(code);
    }
    expect(codes).toEqual([1, 1, 1, 0]);
    expect(output).toBe('dead-lettered ended-process\n');
    const bus = await openHere(file);
    const [letter] = await bus.deadLetters.list({ limit: 10 });
    expect(letter).toMatchObject({ group: 'g', record: { headers: { ce_id: 'm-20' } } });
    expect((await drain(bus)).length).toBe(50);
  }, 20_000);
});
