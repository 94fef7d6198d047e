import type { FlagRecord, SdkHeartbeat } from '@tidegate/contracts';
import { expect, it } from '@jest/globals';
import { Heartbeats, SILENT_AFTER_MS } from './heartbeats.ts';

const flag: FlagRecord = { key: 'checkout-v2', epoch: 1, version: 4, flag: null };
const beat = (instance: string, version?: number, at = 0): SdkHeartbeat => ({
  application: 'checkout',
  instance,
  applied: version === undefined ? {} : { 'checkout-v2': { epoch: 1, version, at } },
});

it('counts the instances on which the present version is in force', () => {
  const heartbeats = new Heartbeats();
  heartbeats.hear(beat('a', 4, 1_100), 2_000);
  heartbeats.hear(beat('b', 3, 500), 2_000);
  heartbeats.hear(beat('c'), 2_000);
  const applied = heartbeats.applied(flag, 1_000, 2_500);
  expect(applied).toMatchObject({ epoch: 1, version: 4, live: 1, heard: 3, slowestMs: 100 });
  expect(applied.instances).toEqual([
    { application: 'checkout', instance: 'a', version: 4, at: 1_100, ageMs: 500 },
    { application: 'checkout', instance: 'b', version: 3, at: 500, ageMs: 500 },
    { application: 'checkout', instance: 'c', version: null, at: null, ageMs: 500 },
  ]);
});

it('names who is behind, and since when at least', () => {
  const heartbeats = new Heartbeats();
  heartbeats.hear(beat('a', 4, 1_100), 2_000);
  heartbeats.hear(beat('b', 3, 500), 2_000);
  heartbeats.hear(beat('c', 2, 400), 1_500);
  heartbeats.hear(beat('d'), 2_000);
  expect(heartbeats.applied(flag, 1_000, 2_500).behind).toEqual([
    { application: 'checkout', instance: 'c', version: 2, since: 1_000, ageMs: 1_000 },
    { application: 'checkout', instance: 'b', version: 3, since: 1_000, ageMs: 500 },
  ]);
  expect(heartbeats.applied(flag, undefined, 2_500).behind[0]).toMatchObject({ since: null });
});

it('counts an instance that is ahead of this replica as live, without guessing its delay', () => {
  const heartbeats = new Heartbeats();
  heartbeats.hear(beat('a', 5, 9_000), 9_000);
  expect(heartbeats.applied(flag, 1_000, 9_000)).toMatchObject({ live: 1, slowestMs: null });
});

it('does not take a flag named like a property of every object for applied', () => {
  const heartbeats = new Heartbeats();
  heartbeats.hear(beat('a'), 1_000);
  const constructor = { ...flag, key: 'constructor' };
  expect(heartbeats.applied(constructor, 1_000, 1_000)).toMatchObject({
    live: 0,
    instances: [{ version: null, at: null }],
  });
});

it('says nothing of the delay when nobody knows when the flag changed', () => {
  const heartbeats = new Heartbeats();
  heartbeats.hear(beat('a', 4, 9_000), 9_000);
  expect(heartbeats.applied(flag, undefined, 9_000)).toMatchObject({ live: 1, slowestMs: null });
});

it('takes the delay of an instance whose clock is behind as none', () => {
  const heartbeats = new Heartbeats();
  heartbeats.hear(beat('a', 4, 900), 2_000);
  expect(heartbeats.applied(flag, 1_000, 2_000).slowestMs).toBe(0);
});

it('forgets an instance that has fallen silent', () => {
  const heartbeats = new Heartbeats();
  heartbeats.hear(beat('a', 3), 0);
  expect(heartbeats.applied(flag, 0, SILENT_AFTER_MS).heard).toBe(1);
  expect(heartbeats.applied(flag, 0, SILENT_AFTER_MS + 1).heard).toBe(0);
});

it('does not let an older word replace a newer one', () => {
  const heartbeats = new Heartbeats();
  heartbeats.hear(beat('a', 4), 20);
  heartbeats.hear(beat('a', 3), 10, 20);
  expect(heartbeats.applied(flag, 0, 20).live).toBe(1);
});

const HOUR = 3_600_000;

it('goes on hearing an instance after its own clock was put back', () => {
  const heartbeats = new Heartbeats();
  heartbeats.hear(beat('a', 3), HOUR);
  heartbeats.hear(beat('a', 4), 10);
  expect(heartbeats.applied(flag, 0, 20)).toMatchObject({ live: 1, behind: [] });
});

it('forgets who died before its own clock was put back', () => {
  const heartbeats = new Heartbeats();
  heartbeats.hear(beat('a', 3), HOUR);
  expect(heartbeats.applied(flag, 0, 20).heard).toBe(0);
});

it('does not hear from the future: an instance whose clock is ahead falls silent like any other', () => {
  const heartbeats = new Heartbeats();
  heartbeats.hear(beat('a', 3), HOUR, 10);
  expect(heartbeats.applied(flag, 0, 10).heard).toBe(1);
  expect(heartbeats.applied(flag, 0, 11 + SILENT_AFTER_MS).heard).toBe(0);
});

it('tells instances apart whose names run together alike', () => {
  const heartbeats = new Heartbeats();
  heartbeats.hear({ application: 'a', instance: 'b/c', applied: {} }, 0);
  heartbeats.hear({ application: 'a/b', instance: 'c', applied: {} }, 0);
  expect(heartbeats.applied(flag, 0, 0).heard).toBe(2);
});

it('counts who holds the same as this replica as live, also if it does not name the flag', () => {
  const heartbeats = new Heartbeats();
  heartbeats.hear({ ...beat('started-since'), digest: 'd-2' }, 2_000);
  heartbeats.hear({ ...beat('elsewhere'), digest: 'd-1' }, 2_000);
  heartbeats.hear({ ...beat('behind', 3), digest: 'd-2' }, 2_000);
  const applied = heartbeats.applied(flag, 1_000, 2_500, 'd-2');
  expect(applied).toMatchObject({ live: 1, heard: 3, slowestMs: null });
  expect(applied.instances.map(({ version }) => version)).toEqual([4, null, 3]);
});
