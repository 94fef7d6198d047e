import { expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { booleanFlag, type House, makeFlags, openHouse } from '../e2e/house.ts';
import { archived, distinct } from './evidence.ts';
import { FLAGS } from './world.ts';

jest.setTimeout(90_000);

const MOST = 100;
const description = 'x'.repeat(1_900);

/** Makes large flags until one is refused; resolves with the keys of those that were acknowledged. */
async function fill(house: House): Promise<readonly string[]> {
  const acknowledged: string[] = [];
  while (acknowledged.length < MOST) {
    const key = `flag-${acknowledged.length}`;
    const users = Array.from({ length: 3_000 }, (_, n) => `${key}-user-${n}`);
    const body = { ...booleanFlag(0), description, allowedUsers: users };
    const answer = await house.ask('PUT', 'flag-service', `${FLAGS}/${key}`, { body });
    if (answer.status !== 200) {
      expect(answer).toMatchObject({ status: 503, body: { code: 'STORE_UNREACHABLE' } });
      return acknowledged;
    }
    acknowledged.push(key);
  }
  throw new Error('The disk did not get full.');
}

it('refuses changes on a full disk, goes on reading, and has lost nothing when there is room again', async () => {
  await using full = await openHouse({ LOG_FILE: '/dev/full' }, { fileKilobytes: 3_000 });
  await makeFlags(full);
  const acknowledged = await fill(full);
  expect(acknowledged.length).toBeGreaterThan(3);
  for (const key of acknowledged)
    expect((await full.ask('GET', 'flag-service', `${FLAGS}/${key}`)).status).toBe(200);
  const next = `${FLAGS}/flag-${acknowledged.length}`;
  expect((await full.ask('GET', 'flag-service', next)).status).toBe(404);
  full.program.signal('SIGINT');
  expect(await full.program.ended()).toBe(0);

  await using house = await openHouse({ DATA_DIR: full.folder });
  const { body } = await house.ask<{ items: { key: string; version: number }[] }>(
    'GET',
    'flag-service',
    `${FLAGS}?limit=200`,
  );
  const found = body.items.map(({ key, version }) => `${key} ${version}`);
  expect(found.sort()).toEqual(acknowledged.map((key) => `${key} 1`).sort());
  expect((await house.ask('PUT', 'flag-service', next, { body: booleanFlag(1) })).status).toBe(200);

  await eventually(async () => {
    await house.ask('POST', 'audit-sink', '/v1/seals?drainMs=5000');
    const told = distinct(archived(house.folder))
      .filter(({ type }) => type === 'tidegate.flag.created.v1')
      .map(({ key }) => key);
    return (
      told.length === acknowledged.length + 1 && told.includes(`production/${acknowledged[0]}`)
    );
  }, 15_000);
  const verified = await house.tidegate('audit', 'verify', `${house.folder}/audit/archive`);
  expect(verified).toMatchObject({ code: 0 });
});
