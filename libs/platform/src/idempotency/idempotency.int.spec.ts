import { describe, expect, it } from '@jest/globals';
import { memoryStore } from '@tidegate/store/testing';
import { systemClock } from '../system-clock.ts';
import { startTestService } from '../test-service.nest.ts';
import { tinyService } from '../tiny-service.nest.ts';

it('a request with an Idempotency-Key happens once, whichever replicas get it, and whenever', async () => {
  const store = memoryStore({ clock: systemClock });
  const replicas = await Promise.all([
    startTestService(tinyService(), { store }),
    startTestService(tinyService(), { store }),
  ]);
  const ask = (replica: (typeof replicas)[number], key: string, description: string) =>
    replica.put('/v1/environments/test', { description }, { 'idempotency-key': key });
  const together = await Promise.all(
    Array.from({ length: 5 }, () => replicas.map((replica) => ask(replica, 'k-1', 'one'))).flat(),
  );
  for (const { status, body } of together)
    expect({ status, ...body }).toMatchObject({ status: 200, outcome: 'changed', version: 1 });

  const [first, second] = replicas;
  expect((await ask(first, 'k-2', 'two')).body).toMatchObject({ outcome: 'changed', version: 2 });
  const late = await ask(second, 'k-1', 'one');
  expect(late.body).toMatchObject({ outcome: 'changed', version: 1, description: 'two' });

  // Both may publish what a document owes: the same fact then, with the same id.
  const facts = replicas
    .flatMap((replica) => replica.published('flag.events'))
    .filter(({ type }) => type === 'EnvironmentChanged');
  const distinct = new Map(facts.map(({ metadata, data }) => [metadata.id, data]));
  const inOrder = [...distinct.values()].toSorted((a, b) =>
    JSON.stringify(a).localeCompare(JSON.stringify(b)),
  );
  expect(inOrder).toEqual([
    { environment: 'test', description: 'one' },
    { environment: 'test', description: 'two' },
  ]);
});

describe('an Idempotency-Key that was used for something else', () => {
  const key = { 'idempotency-key': 'build-7' };

  it('is refused before anything happens, with what to do; another caller may have the same', async () => {
    const service = await startTestService(tinyService());
    await service.put('/v1/environments/test', { description: 'one' }, key);
    for (const reused of [
      await service.put('/v1/environments/test', { description: 'two' }, key),
      await service.put('/v1/environments/other', { description: 'one' }, key),
      await service.put('/v1/environments/test?force=true', { description: 'one' }, key),
      await service.post('/v1/kill', {}, key),
    ])
      expect(reused.body).toMatchObject({
        status: 422,
        code: 'IDEMPOTENCY_KEY_REUSED',
        detail: expect.stringContaining('Nothing was done; use a new key.'),
      });
    const other = service.as('operator');
    expect(
      (await other.put('/v1/environments/test', { description: 'two' }, key)).body,
    ).toMatchObject({ outcome: 'changed', version: 2 });
    expect(
      service.published('flag.events').filter(({ type }) => type === 'EnvironmentChanged'),
    ).toHaveLength(2);
  });

  it('may be used again for a request that was corrected, since nothing was done', async () => {
    const service = await startTestService(tinyService());
    const put = (description: unknown) =>
      service.put('/v1/environments/test', { description }, key);
    expect((await put(7)).body).toMatchObject({ code: 'REQUEST_INVALID' });
    expect((await put('seven')).body).toMatchObject({ outcome: 'changed' });
    expect((await put(7)).body).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
  });

  it('says nothing about requests that change nothing', async () => {
    const service = await startTestService(tinyService());
    for (const path of ['/v1/environments/test/items', '/v1/environments/test/read'])
      expect((await service.get(path, key)).status).toBe(200);
  });
});
