import { expect, it } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { startTestService } from '@tidegate/platform/testing';
import { metricsGatekeeper } from '../index.ts';
import type { GuardSummary } from './guard-record.ts';

const plan = (name: string): string => `plan: ${name}
flag: checkout-v2
metrics:
  errors:
    type: ratio
    source: { scrape: ['http://127.0.0.1:9/metrics'] }
    bad: { metric: errors_total }
    total: { metric: requests_total }
guards:
  - { name: error-rate, judge: sequential, metric: errors, limit: 1%, detect: 5% }
steps:
  - { stage: canary, percentage: 10, hold: 5s }
`;

it('lists guards by plan in pages of plans, for everybody who may look', async () => {
  const service = await startTestService(metricsGatekeeper);
  for (const name of ['a', 'b', 'c']) await service.put(`/v1/plans/${name}`, plan(name));
  const list = async (query = '') =>
    (
      await service
        .as('viewer', 'test')
        .get<{ items: GuardSummary[]; next?: string }>(`/v1/guards${query}`)
    ).body;
  await eventually(async () => (await list()).items.length === 3);
  const { items, next } = await list('?limit=2');
  expect(items).toMatchObject([
    { plan: 'a', guard: 'error-rate', judge: 'sequential', rollouts: 0, hasFired: false },
    { plan: 'b' },
  ]);
  expect((await list(`?limit=2&after=${next}`)).items).toMatchObject([{ plan: 'c' }]);
  expect((await list('?plan=b')).items).toMatchObject([{ plan: 'b' }]);
  expect(await list('?plan=unknown')).toEqual({ items: [] });
  expect((await service.get('/v1/guards?plna=b')).status).toBe(400);
});
