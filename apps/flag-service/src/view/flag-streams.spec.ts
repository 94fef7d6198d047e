import type { ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import { flagDefinition } from '@tidegate/contracts';
import { eventually } from '@tidegate/kernel/testing';
import { expect, it } from '@jest/globals';
import { EnvironmentFlags } from './environment-flags.ts';
import { BEATS, FlagStreams } from './flag-streams.sse.ts';

const BUFFER = 4_096;

/** One that listens; `text` is what it was sent, as long as it reads. */
class Reader extends PassThrough {
  text = '';
  setHeader(): void {}
  removeHeader(): void {}
  flushHeaders(): void {}
  count(event: string): number {
    return this.text.split(`event: ${event}\n`).length - 1;
  }
}

function world() {
  const flags = new EnvironmentFlags();
  let slow = 0;
  const streams = new FlagStreams({
    maxStreams: 10,
    onFull: () => {},
    bufferBytes: BUFFER,
    onSlowReader: () => (slow += 1),
  });
  const definition = flagDefinition.parse({
    type: 'string',
    variants: { on: 'x'.repeat(1_000), off: 'y' },
    defaultVariant: 'off',
    offVariant: 'off',
    exposure: { variant: 'on', percentage: 0 },
  });
  const change = (key: string, version: number) =>
    flags.merge({ key, epoch: 1, version, flag: { definition, salt: 's' } });
  const connect = (reads = true, reader = new Reader({ highWaterMark: 1 })): Reader => {
    if (reads) reader.on('data', (chunk: Buffer) => (reader.text += chunk.toString()));
    const headers = { 'accept-encoding': 'identity' };
    const client = { digest: undefined, isPermitted: () => true };
    streams.connect({ headers }, reader as unknown as ServerResponse, flags, client);
    return reader;
  };
  return { change, connect, flags, streams, slow: () => slow };
}

it('tells every one of many, and none of those who came after a change of it', async () => {
  const { change, connect } = world();
  const readers = Array.from({ length: 1_000 }, () => connect());
  change('a', 1);
  const late = connect();
  await eventually(() => readers.every((reader) => reader.count('flag') === 1));
  await eventually(() => late.count('snapshot') === 1);
  expect(late.count('flag')).toBe(0);
});

it('tells of each change who listens then, however they come and go between changes', async () => {
  const { change, connect, streams } = world();
  const stays = connect();
  change('a', 1);
  const comes = connect();
  change('a', 2);
  await eventually(() => comes.count('flag') === 1);
  comes.destroy();
  await eventually(() => streams.size === 1);
  change('a', 3);
  await eventually(() => stays.count('flag') === 3);
  expect(comes.count('flag')).toBe(1);
});

it('cuts off who does not read, and nobody else', async () => {
  const { change, connect, slow, streams } = world();
  const readers = Array.from({ length: 300 }, () => connect());
  const asleep = connect(false);
  const CHANGES = 30;
  for (let version = 1; version <= CHANGES; version += 1) {
    change('a', version);
    await eventually(() => readers.every((reader) => reader.count('flag') === version));
  }
  expect([asleep.destroyed, slow()]).toEqual([true, 1]);
  await eventually(() => streams.size === 300);
});

it('spreads heartbeats: each beat is for a part, and all have had one after a round', async () => {
  const { connect, streams } = world();
  const readers = Array.from({ length: 2 * BEATS }, () => connect());
  const beaten = () => readers.filter((reader) => reader.count('heartbeat') === 1).length;
  streams.beat(1);
  await eventually(() => beaten() === 2);
  for (let beat = 1; beat < BEATS; beat += 1) streams.beat(beat);
  await eventually(() => beaten() === readers.length);
});

it('forgets who has left, also all of them', async () => {
  const { change, connect, streams } = world();
  const [first, second] = [connect(), connect()];
  first.destroy();
  await eventually(() => streams.size === 1);
  second.destroy();
  await eventually(() => streams.size === 0);
  change('a', 1);
  const third = connect();
  change('a', 2);
  await eventually(() => third.count('flag') === 1);
});

it('does not count who has left before it was connected', async () => {
  const { connect, streams } = world();
  const gone = new Reader();
  gone.destroy();
  await eventually(() => gone.closed);
  connect(true, gone);
  expect(streams.size).toBe(0);
});
