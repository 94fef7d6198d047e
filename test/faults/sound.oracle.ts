import { expect } from '@jest/globals';
import { definitionOf } from '@tidegate/contracts';
import { eventually } from '@tidegate/kernel/testing';
import { stepsBack } from './application.ts';
import { archived, everyItem, historyOf } from './evidence.ts';
import type { ProcessWorld } from './process-world.ts';
import { disagreements, type Told, toldOfFlag } from './reconciled.oracle.ts';
import { FLAGS } from './world.ts';

/** A member that was killed keeps its partitions until its session ends. */
const SETTLED_WITHIN_MS = 60_000;
/** A notification whose sender was killed is claimed for half a minute. */
const TOLD_WITHIN_MS = 60_000;

/** Whatever happened: everything was done, told, recorded and delivered once, and everybody sees the same. */
export async function expectSound(world: ProcessWorld): Promise<void> {
  expect(world.house().replicas.filter(({ isUp }) => !isUp)).toEqual([]);
  await everythingIsHandled(world);
  await everyoneIsTold(world);
  await everyoneSeesTheSame(world);
  expect(stepsBack(world.application)).toEqual([]);
  await stateAndArchiveAgree(world);
}

/** No group lags, nothing was given up. */
async function everythingIsHandled({ broker }: ProcessWorld): Promise<void> {
  await eventually(async () => {
    const behind = await broker.behind();
    if (behind.length > 0) throw new Error(`Behind: ${JSON.stringify(behind)}`);
    return true;
  }, SETTLED_WITHIN_MS);
  expect((await broker.ends())['dead-letter'] ?? 0).toBe(0);
}

interface Notification {
  readonly notification: string;
  readonly status: string;
  readonly title: string;
}

/** Every notification was delivered, and what was sent again said so by its id. */
async function everyoneIsTold({ house, receiver }: ProcessWorld): Promise<void> {
  const all = await eventually(async () => {
    const found = await everyItem<Notification>(house(), 'notifier', '/v1/notifications');
    const waiting = found.filter(({ status }) => status === 'waiting');
    if (waiting.length > 0) throw new Error(`Not told yet: ${JSON.stringify(waiting)}`);
    return found;
  }, TOLD_WITHIN_MS);
  const delivered = all.filter(({ status }) => status === 'delivered');
  expect(all.filter(({ status }) => status === 'given-up')).toEqual([]);
  expect(receiver.unsigned).toBe(0);
  const received = new Map(receiver.deliveries.map(({ id, title }) => [id, title]));
  expect([...received.values()].sort()).toEqual(delivered.map(({ title }) => title).sort());
}

interface Snapshot {
  readonly digest: string;
  readonly flags: readonly { readonly key: string; readonly version: number }[];
}

/** Both replicas, every SDK and the store hold the same versions of the same flags. */
async function everyoneSeesTheSame({ house, application }: ProcessWorld): Promise<void> {
  await eventually(async () => {
    const path = '/v1/environments/production/snapshot';
    const stored = await everyItem<{ key: string; version: number }>(
      house(),
      'flag-service',
      FLAGS,
    );
    const held: Record<string, string> = {};
    for (const { name, url } of house().replicasOf('flag-service')) {
      const headers = { authorization: `Bearer ${house().adminKey}` };
      const snapshot = (await (await fetch(url + path, { headers })).json()) as Snapshot;
      held[name] = snapshot.digest;
      expect(versionsOf(snapshot.flags)).toEqual(versionsOf(stored));
    }
    for (const [name, { status }] of Object.entries(application.clients))
      held[`SDK of ${name}`] =
        `${status.digest}${status.state === 'ready' ? '' : ` ${status.state}`}`;
    if (new Set(Object.values(held)).size > 1)
      throw new Error(`They differ: ${JSON.stringify(held)}`);
    return true;
  }, SETTLED_WITHIN_MS);
}

const versionsOf = (flags: Snapshot['flags']) =>
  flags.map(({ key, version }) => `${key} ${version}`).sort();

/** What the services know is what the archive proves. */
async function stateAndArchiveAgree(world: ProcessWorld): Promise<void> {
  const { house, folder } = world;
  const told = await eventually(async () => {
    const flags = await toldOfFlags(world);
    const rollouts = await toldOfRollouts(world);
    for (const { name, version, known } of [...flags, ...rollouts])
      if (Number.parseInt(known.at(-1) ?? '0', 10) !== version)
        throw new Error(`${name} is at ${version}, its history at ${known.at(-1)}`);
    return { flags, rollouts };
  }, SETTLED_WITHIN_MS);
  await eventually(async () => {
    const path = '/v1/seals?drainMs=5000';
    const { status, body } = await house().ask<{ waiting: number }>('POST', 'audit-sink', path);
    if (status !== 200 || body.waiting > 0) throw new Error(`${status} ${JSON.stringify(body)}`);
    return true;
  }, SETTLED_WITHIN_MS);
  const verified = await house().tidegate('audit', 'verify', `${folder}/audit/archive`);
  expect(verified).toMatchObject({ code: 0 });
  expect(disagreements({ archive: archived(folder), ...told })).toEqual([]);
}

async function toldOfFlags({ house }: ProcessWorld): Promise<readonly Told[]> {
  const flags = await everyItem<{ key: string; version: number }>(house(), 'flag-service', FLAGS);
  return Promise.all(
    flags.map(async ({ key, version }) =>
      toldOfFlag(key, version, await historyOf(house(), key), wireOf),
    ),
  );
}

const wireOf = (type: string): string => definitionOf(type)?.wire ?? type;

async function toldOfRollouts({ house }: ProcessWorld): Promise<readonly Told[]> {
  const path = '/v1/rollouts';
  const service = 'metrics-gatekeeper';
  const rollouts = await everyItem<{ id: string; version: number }>(house(), service, path);
  return Promise.all(
    rollouts.map(async ({ id, version }) => {
      const decisions = await everyItem<{ id: string; version: number }>(
        house(),
        service,
        `${path}/${id}/decisions`,
      );
      const known = decisions.map((each) => `${each.version} ${each.id}`);
      return { name: `rollout ${id}`, version, key: id, known };
    }),
  );
}
