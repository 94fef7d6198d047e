import { eventually } from '@tidegate/kernel/testing';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  booleanFlag,
  expectOk,
  isOver,
  makeFlags,
  openHouse,
  rolloutUntil,
  type RolloutShown,
  type Standalone,
  startRollout,
} from './house.ts';

jest.setTimeout(60_000);

/** Nothing guards it; the first stage is left when somebody promotes the rollout. */
const plan = (flag: string) => `
plan: ${flag}
flag: ${flag}
checkEvery: 200ms
steps:
  - { stage: canary, percentage: 10, hold: 1h }
  - { stage: everyone, percentage: 100, hold: 200ms }
`;

let house: Standalone;
beforeAll(async () => {
  house = await openHouse();
  await makeFlags(house, 'payments');
});
afterAll(() => house.program.kill());

const pathOf = (kind: 'flags' | 'segments', key: string): string =>
  `/v1/environments/production/${kind}/${key}`;
const put = (kind: 'flags' | 'segments', key: string, body: object) =>
  house.ask<{ code?: string; detail?: string }>('PUT', 'flag-service', pathOf(kind, key), { body });
const post = async (kind: 'flags' | 'segments', key: string, verb: string) =>
  expectOk(
    await house.ask('POST', 'flag-service', `${pathOf(kind, key)}/${verb}`, {
      body: { reason: 'a test' },
    }),
  );
const tell = async (rollout: string, verb: string) =>
  expectOk(
    await house.ask('POST', 'metrics-gatekeeper', `/v1/rollouts/${rollout}/${verb}`, {
      body: { reason: 'a test' },
    }),
  );

/** Of `payments` and of the segment `beta`, in a flag of its own. */
async function makeReferring(...keys: string[]): Promise<void> {
  expectOk(await put('segments', 'beta', { members: ['ada'] }));
  for (const key of keys)
    expectOk(
      await put('flags', key, {
        ...booleanFlag(0),
        prerequisites: [{ flag: 'payments', variants: ['on'] }],
        rules: [{ when: { segment: 'beta' }, variant: 'on' }],
      }),
    );
}

/** The release comes a moment after the end that it follows. */
const letGo = (...what: Parameters<typeof put>): Promise<unknown> =>
  eventually(async () => {
    expectOk(await put(...what));
    return true;
  }, 10_000);

type Shown = RolloutShown & {
  readonly references: readonly { kind: string; key: string; claim: string; disabled: boolean }[];
};
const until = (id: string, isSo: (rollout: Shown) => boolean): Promise<Shown> =>
  rolloutUntil(house, id, (rollout) => isSo(rollout as Shown)) as Promise<Shown>;
const open = (id: string) =>
  until(
    id,
    ({ phase, references }) =>
      phase === 'open' && references.every(({ claim }) => claim === 'held'),
  );

describe('what two flags under rollout have in common', () => {
  it('changes for nobody until both have ended, and is let go then', async () => {
    await makeReferring('checkout-a', 'checkout-b');
    const [a, b] = [
      await startRollout(house, 'checkout-a', plan('checkout-a')),
      await startRollout(house, 'checkout-b', plan('checkout-b')),
    ];
    const { references } = await open(a);
    await open(b);
    expect(references).toMatchObject([
      { kind: 'flag', key: 'payments', claim: 'held', disabled: false },
      { kind: 'segment', key: 'beta', claim: 'held' },
    ]);
    const shown = await house.tidegate('rollout', 'show', a);
    expect(shown.output).toContain('relies on payments, segment beta');

    const moved = await put('flags', 'payments', booleanFlag(5));
    expect(moved).toMatchObject({ status: 409, body: { code: 'FLAG_RELIED_ON' } });
    expect(moved.body.detail).toContain(a);
    expect(moved.body.detail).toContain(b);
    const widened = await put('segments', 'beta', { members: ['ada', 'grace'] });
    expect(widened).toMatchObject({ status: 409, body: { code: 'SEGMENT_HELD' } });
    expect(widened.body.detail).toContain(a);

    await tell(a, 'promote');
    await until(a, ({ status }) => status === 'completed');
    expect((await put('flags', 'payments', booleanFlag(5))).body.code).toBe('FLAG_RELIED_ON');
    await tell(b, 'rollback');
    await until(b, ({ status }) => status === 'rolled-back');
    await letGo('flags', 'payments', booleanFlag(5));
    await letGo('segments', 'beta', { members: ['ada', 'grace'] });
  });

  it('is opened by no rollout of its own meanwhile: that one ends, and says who relies on it', async () => {
    await makeReferring('checkout-c');
    const relying = await startRollout(house, 'checkout-c', plan('checkout-c'));
    await open(relying);
    const own = await startRollout(house, 'payments', plan('payments'));
    const { status, ended } = await until(own, isOver);
    expect(status).toBe('aborted');
    expect(ended?.message).toContain('FLAG_RELIED_ON');
    expect(ended?.message).toContain(relying);
    await tell(relying, 'abort');
  });

  it('is opened by its own rollout first: one that would rely on it ends, and lets go of its flag', async () => {
    await makeReferring('checkout-d');
    const own = await startRollout(house, 'payments', plan('payments'));
    await open(own);
    const relying = await startRollout(house, 'checkout-d', plan('checkout-d'));
    const { status, ended, references } = await until(relying, isOver);
    expect(status).toBe('aborted');
    expect(ended?.message).toContain('checkout-d refers to flag payments');
    expect(ended?.message).toContain(own);
    expect(references.map(({ claim }) => claim)).toEqual(['released', 'released']);
    await letGo('flags', 'checkout-d', booleanFlag(3));
    await tell(own, 'abort');
  });
});

describe('a prerequisite of a flag under rollout', () => {
  it('that somebody disables pauses the rollout by name; released and enabled, it goes on', async () => {
    await makeReferring('checkout-e');
    const id = await startRollout(house, 'checkout-e', plan('checkout-e'));
    await open(id);
    await post('flags', 'payments', 'disable');
    const { paused } = await until(id, ({ status }) => status === 'paused');
    expect(paused?.reason).toBe('flag payments, which checkout-e refers to, was disabled: a test');
    expect((await house.tidegate('rollout', 'show', id)).output).toContain('payments (disabled)');
    const resumed = await house.ask('POST', 'metrics-gatekeeper', `/v1/rollouts/${id}/resume`, {
      body: { reason: 'a test' },
    });
    expect(resumed.body).toMatchObject({ code: 'ROLLOUT_FLAG_DISABLED' });

    await post('flags', 'payments', 'release');
    await post('flags', 'payments', 'enable');
    await until(id, ({ references }) => references.some(({ claim }) => claim === 'lost'));
    await tell(id, 'resume');
    await open(id);
    await tell(id, 'promote');
    await until(id, ({ status }) => status === 'completed');
  });

  it('is held over a kill -9, and let go after it', async () => {
    await makeReferring('checkout-f');
    const id = await startRollout(house, 'checkout-f', plan('checkout-f'));
    await house.program.kill();
    house = await openHouse({ DATA_DIR: house.folder });
    await open(id);
    expect((await put('flags', 'payments', booleanFlag(20))).body.code).toBe('FLAG_RELIED_ON');
    await tell(id, 'abort');
    await until(id, isOver);
    await letGo('flags', 'payments', booleanFlag(20));
    await letGo('segments', 'beta', { members: [] });
  });
});
