import { describe, expect, it } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { fingerprintOf, nameOf } from './fingerprint.ts';
import { IdempotencyKeys } from './idempotency-keys.handler.ts';
import { KEPT_MS, type SharedKeys } from './shared-keys.port.ts';

const put = { method: 'PUT', url: '/v1/flags/a?dryRun=true', body: { on: true } };

describe('a fingerprint', () => {
  it('is the same for the same request, and another for another method, path, query or body', () => {
    const others = [
      { ...put, method: 'POST' },
      { ...put, url: '/v1/flags/b?dryRun=true' },
      { ...put, url: '/v1/flags/a' },
      { ...put, body: { on: false } },
      { ...put, body: undefined },
    ];
    expect(fingerprintOf({ ...put, body: { on: true } })).toBe(fingerprintOf(put));
    expect(new Set([put, ...others].map(fingerprintOf)).size).toBe(6);
    expect(nameOf('ci', 'k-1')).not.toBe(nameOf('ci2', 'k-1'));
  });
});

/** What replicas share, which can be away or hang. */
function shared(state: 'up' | 'away' | 'hangs' = 'up') {
  const held = new Map<string, string>();
  const setting = { state, asked: 0, held };
  const port: SharedKeys = {
    async claim(name, fingerprint) {
      setting.asked += 1;
      if (setting.state === 'hangs') await new Promise(() => undefined);
      if (setting.state === 'away') throw new Error('away');
      held.set(name, held.get(name) ?? fingerprint);
      return held.get(name) ?? '';
    },
    forget: async (name) => void held.delete(name),
    isUp: () => setting.state !== 'away',
  };
  return Object.assign(setting, { port });
}

describe('a key', () => {
  it('stands for what it was first used for, for a day', async () => {
    let now = 0;
    const keys = new IdempotencyKeys({ now: () => now });
    expect(await keys.claim('k', 'a', false)).toBe('first');
    expect(await keys.claim('k', 'a', false)).toBe('same');
    expect(await keys.claim('k', 'b', false)).toBe('other');
    now = KEPT_MS;
    expect(await keys.claim('k', 'b', false)).toBe('first');
  });

  it('whose request was not done may be used for something else, on every replica', async () => {
    const { port } = shared();
    const [one, two] = [
      new IdempotencyKeys({ shared: port }),
      new IdempotencyKeys({ shared: port }),
    ];
    expect(await one.claim('k', 'a', false)).toBe('first');
    one.forget('k');
    expect(await two.claim('k', 'b', false)).toBe('first');
  });

  it('is one for all replicas: of two uses at the same time one wins', async () => {
    const { port } = shared();
    const replicas = Array.from({ length: 8 }, () => new IdempotencyKeys({ shared: port }));
    const claimed = await Promise.all(
      replicas.map((keys, n) => keys.claim('k', `use-${n}`, false)),
    );
    expect(claimed.toSorted()).toEqual(['first', ...Array.from({ length: 7 }, () => 'other')]);
  });

  it('takes no more memory than it may: the oldest is forgotten', async () => {
    const keys = new IdempotencyKeys({ most: 2 });
    for (const name of ['a', 'b', 'c']) await keys.claim(name, 'x', false);
    expect(await keys.claim('c', 'y', false)).toBe('other');
    expect(await keys.claim('a', 'y', false)).toBe('first');
  });
});

describe('while replicas cannot share', () => {
  it('each goes by what it knows, and tells the others when they can be asked again', async () => {
    const others = shared('away');
    const one = new IdempotencyKeys({ shared: others.port });
    expect(await one.claim('k', 'a', false)).toBe('first');
    expect(await one.claim('k', 'b', false)).toBe('other');
    others.state = 'up';
    expect(await one.claim('k', 'a', false)).toBe('same');
    const two = new IdempotencyKeys({ shared: others.port });
    expect(await two.claim('k', 'b', false)).toBe('other');
  });

  it('nobody waits for them, and whoever is back is found', async () => {
    const others = shared('away');
    const keys = new IdempotencyKeys({ shared: others.port });
    for (let n = 0; n < 50; n += 1) expect(await keys.claim(`k-${n}`, 'a', false)).toBe('first');
    expect(others.asked).toBeGreaterThan(1);
    const silent = { ...others.port, claim: () => new Promise<string>(() => undefined) };
    const alone = new IdempotencyKeys({ shared: silent });
    for (let n = 0; n < 50; n += 1) expect(await alone.claim(`k-${n}`, 'a', false)).toBe('first');
  });

  it('what must not wait does not, even the first time, and what it used is told', async () => {
    const others = shared('hangs');
    const keys = new IdempotencyKeys({ shared: others.port });
    expect(await keys.claim('k', 'a', true)).toBe('first');
    others.state = 'up';
    const after = new IdempotencyKeys({ shared: others.port });
    expect(await after.claim('k', 'a', true)).toBe('first');
    await eventually(() => others.held.get('k') === 'a');
    expect(await after.claim('k', 'b', true)).toBe('other');
  });
});
