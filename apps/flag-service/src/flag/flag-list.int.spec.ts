import { manualClock } from '@tidegate/kernel/testing';
import { startTestService, type TestService } from '@tidegate/platform/testing';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { flagService } from '../index.ts';

const DAY = 86_400_000;
const flags = '/v1/environments/test/flags';
const body = {
  type: 'boolean',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  offVariant: 'off',
  exposure: { variant: 'on', percentage: 50 },
};
interface Listed {
  items: { key: string; stale?: { reason: string; since: number }[] }[];
  next?: string;
}

let service: TestService;
const clock = manualClock(1_790_000_000_000);
beforeAll(async () => {
  service = await startTestService(flagService, { clock });
  await service.put('/v1/environments/test');
  await service.put('/v1/environments/production');
  await service.put('/v1/environments/production/flags/elsewhere', { ...body, tags: ['odd'] });
  const numbers = Array.from({ length: 250 }, (_, number) => number);
  await Promise.all(
    numbers.map((number) =>
      service.put(`${flags}/flag-${String(number).padStart(3, '0')}`, {
        ...body,
        tags: number % 2 ? ['odd'] : ['even', 'payments'],
        owner: number === 7 ? 'Team Basket' : 'team-a',
        ...(number === 8 ? { description: 'The BASKET, once more' } : {}),
      }),
    ),
  );
  await service.put(`${flags}/mode`, {
    ...body,
    type: 'mode',
    variants: { on: 'enforce', off: 'off' },
  });
  await service.post(`${flags}/flag-009/disable`, { reason: 'broken' });
}, 30_000);

const keys = async (query: string): Promise<string[]> => {
  const { body: page } = await service.get<Listed>(`${flags}?limit=500&${query}`);
  return page.items.map(({ key }) => key);
};

describe('a list of flags', () => {
  it('finds a text in key, owner and description, in any case', async () => {
    expect(await keys('q=basket')).toEqual(['flag-007', 'flag-008']);
    expect(await keys('q=FLAG-00')).toHaveLength(10);
    expect(await keys('q=nothing')).toEqual([]);
  });

  it('narrows by tag, state, type and rollout, and by all of them at once', async () => {
    expect(await keys('tag=odd')).toHaveLength(125);
    expect(await keys('state=disabled')).toEqual(['flag-009']);
    expect(await keys('type=mode')).toEqual(['mode']);
    expect(await keys('heldBy=r-1')).toEqual([]);
    expect(await keys('tag=odd&q=flag-00&state=enabled')).toEqual([
      'flag-001',
      'flag-003',
      'flag-005',
      'flag-007',
    ]);
  });

  it.each(['', 'tag=odd', 'q=flag-1', 'tag=payments&state=enabled'])(
    'gives page by page what it gives at once (%s)',
    async (query) => {
      const whole = await keys(query);
      const paged: string[] = [];
      for (let after = ''; ;) {
        const page = await service.get<Listed>(`${flags}?limit=7&${query}${after}`);
        paged.push(...page.body.items.map(({ key }) => key));
        expect(page.body.items.length).toBeLessThanOrEqual(7);
        if (page.body.next === undefined) break;
        after = `&after=${page.body.next}`;
      }
      expect(paged).toEqual(whole);
    },
  );

  it('says what a filter may be', async () => {
    const wrong = await service.get(`${flags}?state=off`);
    expect(wrong.status).toBe(400);
    expect(wrong.body['errors']).toMatchObject([{ parameter: 'state' }]);
  });

  it('tells which flags may not be needed any more, why and since when', async () => {
    const path = '/v1/environments/production/flags';
    const open = { ...body, exposure: { variant: 'on', percentage: 100 } };
    const since = clock.now();
    await service.put(`${path}/open`, open);
    await service.put(`${path}/kill-switch`, { ...open, tags: ['permanent'] });
    await service.put(`${path}/short`, { ...body, expiresAt: since + DAY });
    await service.put(`${path}/off`, body);
    await service.post(`${path}/off/disable`, { reason: 'broken' });
    const half = { ...body, exposure: { variant: 'on', percentage: 50 } };
    await service.put(`${path}/base`, half);
    await service.put(`${path}/on-base`, {
      ...half,
      prerequisites: [{ flag: 'base', variants: ['on'] }],
    });
    expect((await service.get<Listed>(`${path}?stale=true`)).body.items).toEqual([]);
    clock.advance(31 * DAY);
    await service.put(`${path}/open`, { ...open, owner: 'team' }); // tells people, moves nobody
    const found = await service.get<Listed>(`${path}?stale=true`);
    const reasons = found.body.items.map(({ key, stale = [] }) => ({
      key,
      stale: stale.filter(({ reason }) => reason !== 'not-asked'),
    }));
    const known = reasons.filter(({ stale }) => stale.length > 0);
    expect(known.map(({ key, stale }) => [key, stale])).toEqual([
      ['off', [{ reason: 'disabled-long', since }]],
      ['open', [{ reason: 'one-sided', since }]],
      ['short', [{ reason: 'expired', since: since + DAY }]],
    ]);
    // What is a prerequisite is not asked for by its own key.
    expect(reasons.map(({ key }) => key)).toContain('on-base');
    expect(reasons.map(({ key }) => key)).not.toContain('base');
    const served = await service.post(`/ofrep/v1/evaluate/flags/short`, {
      context: { targetingKey: 'ada' },
    });
    expect(served.body).toMatchObject({ key: 'short' });
    expect(served.status).toBe(200);
  });
});
