import { expect, it } from '@jest/globals';
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
