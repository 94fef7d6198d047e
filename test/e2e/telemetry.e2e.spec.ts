import { expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { attribute, openCollector, wayOf } from './collector.ts';
import { makeFlags, openHouse, startRollout } from './house.ts';

jest.setTimeout(60_000);

it('is one trace from a request, over the topics between the services, to the audit record', async () => {
  await using collector = await openCollector();
  await using house = await openHouse(collector.environment);
  await makeFlags(house, 'checkout-v2');
  const plan =
    'plan: trace\nflag: checkout-v2\nsteps:\n  - { stage: a, percentage: 10, hold: 1h }\n';
  await startRollout(house, 'trace', plan);
  const path = '/v1/records?type=tidegate.flag.held.v1';
  const record = await eventually(async () => {
    const { body } = await house.ask<{ items: { manifest: { id: string } }[] }>(
      'GET',
      'audit-sink',
      path,
    );
    return body.items[0];
  }, 20_000);
  house.program.signal('SIGINT'); // hands over the spans that are not exported yet
  expect(await house.program.ended()).toBe(0);

  const archived = collector.spans.find(
    (span) =>
      attribute(span, 'tidegate.service') === 'audit-sink' &&
      attribute(span, 'messaging.message.id') === record.manifest.id,
  );
  if (archived === undefined) throw new Error(`No span of ${JSON.stringify(record)}`);
  const way = collector.origins(archived);
  expect(wayOf(way)).toEqual([
    ['audit-sink', 'process flag.events'],
    ['flag-service', 'send flag.events'],
    ['flag-service', 'process flag.commands'],
    ['metrics-gatekeeper', 'send flag.commands'],
    ['metrics-gatekeeper', 'POST /v1/rollouts'],
  ]);
  expect(new Set(way.map(({ traceId }) => traceId)).size).toBe(1);
});
