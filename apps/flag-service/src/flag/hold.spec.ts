import type { Flag, FlagCommand, FlagDefinition, FlagEvent, RolloutRef } from '@tidegate/contracts';
import { isRejection, type Percentage } from '@tidegate/kernel';
import { specification } from '@tidegate/kernel/testing';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { flagDecider } from './flag.ts';
import { storedAs, viewOf } from './stored-flag.ts';

const given = specification(flagDecider);

const ref = { environment: 'production', key: 'payments' };
const definition: FlagDefinition = {
  type: 'boolean',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  offVariant: 'off',
  exposure: { variant: 'on', percentage: 10_000 as Percentage },
  allowedUsers: [],
  deniedUsers: [],
  settings: {},
  tags: [],
  prerequisites: [],
  rules: [],
};
const more = { ...definition, exposure: { variant: 'on', percentage: 50_000 as Percentage } };
const r1 = { id: 'r-1', generation: 1 };
const r1Later = { id: 'r-1', generation: 2 };
const r2 = { id: 'r-2', generation: 1 };

const ask = <T extends FlagCommand['type']>(
  type: T,
  data: Omit<Extract<FlagCommand, { type: T }>['data'], 'environment' | 'key'>,
): FlagCommand =>
  ({
    type,
    key: 'production/payments',
    data: { ...ref, ...data },
    metadata: { id: 'c-1', source: 'spec', at: 7, actor: 'alex', correlationId: 'c-1' },
  }) as unknown as FlagCommand;

const created: FlagEvent = {
  type: 'FlagCreated',
  data: { ...ref, after: { definition, salt: 'salt-1' } },
};
const heldBy = (rollout: RolloutRef): FlagEvent => ({
  type: 'FlagHeld',
  data: { ...ref, rollout, definition, disabled: false },
});
const reliedOnBy = (rollout: RolloutRef): FlagEvent => ({
  type: 'FlagHeld',
  data: { ...ref, rollout, definition, disabled: false, asReference: true },
});
const disabled: FlagEvent = {
  type: 'FlagDisabled',
  data: { ...ref, disabled: { reason: 'down', at: 7, by: 'alex' } },
};
const rely = (rollout: RolloutRef, tellAgain = false) =>
  ask('HoldFlag', { rollout, asReference: true, ...(tellAgain ? { tellAgain } : {}) });
const hold = (rollout: RolloutRef) => ask('HoldFlag', { rollout });
const release = (rollout?: RolloutRef) => ask('ReleaseFlag', { rollout, reason: 'over' });
const put = (changes: Partial<FlagDefinition>) =>
  ask('PutFlag', { definition: { ...definition, ...changes }, salt: 'salt-2' });
const reliedOnAfter = (...facts: readonly FlagEvent[]) =>
  viewOf(given(facts).when(release()).state)?.reliedOn;

describe('a flag that rollouts of other flags rely on', () => {
  it('tells each what it relies on, and any number may', () => {
    given([created])
      .when(rely(r1))
      .then([reliedOnBy(r1)]);
    given([created, reliedOnBy(r1)])
      .when(rely(r2))
      .then([reliedOnBy(r2)]);
    expect(reliedOnAfter(created, reliedOnBy(r1), reliedOnBy(r2))).toEqual([r1, r2]);
  });

  it('says that it is disabled', () => {
    expect(given([created, disabled]).when(rely(r1)).decision).toMatchObject([
      { type: 'FlagHeld', data: { disabled: true, asReference: true } },
    ]);
  });

  it('tells one that relies on it already once more only when asked to', () => {
    given([created, reliedOnBy(r1)])
      .when(rely(r1))
      .then([]);
    given([created, reliedOnBy(r1)])
      .when(rely(r1, true))
      .then([reliedOnBy(r1)]);
  });

  it('follows a rollout into a later generation, never back', () => {
    given([created, reliedOnBy(r1), reliedOnBy(r2)])
      .when(rely(r1Later))
      .thenTypes('FlagHeld');
    given([created, reliedOnBy(r1Later)])
      .when(rely(r1))
      .thenRejected('GENERATION_OLD');
    expect(reliedOnAfter(created, reliedOnBy(r1), reliedOnBy(r1Later))).toEqual([r1Later]);
  });

  it.each([
    ['PutFlag', put(more)],
    ['PutFlag with other prerequisites', put({ prerequisites: [{ flag: 'a', variants: ['on'] }] })],
    ['DeleteFlag', ask('DeleteFlag', { reason: 'old' })],
    ['RestoreFlag by a person', ask('RestoreFlag', { definition: more, reason: 'back' })],
    [
      'RestoreFlag by a rollout',
      ask('RestoreFlag', { definition: more, reason: 'back', rollout: r2 }),
    ],
    ['HoldFlag by a rollout that would change it', hold(r2)],
  ])('refuses %s, and names all of them', (_what, command) => {
    const { decision } = given([created, reliedOnBy(r1), reliedOnBy(r2)]).when(command);
    expect(decision).toMatchObject({
      code: 'FLAG_RELIED_ON',
      message: expect.stringContaining('Rollouts r-1, r-2 rely on payments in production'),
    });
  });

  it('is not enabled by anybody, since that moves users', () => {
    given([created, disabled, reliedOnBy(r1)])
      .when(ask('EnableFlag', { reason: 'fixed' }))
      .thenRejected('FLAG_RELIED_ON');
  });

  it('is not opened further by a rollout', () => {
    given([created, reliedOnBy(r1)])
      .when(ask('SetExposure', { rollout: r2, step: 'canary', percentage: 50_000 as Percentage }))
      .thenRejected('FLAG_NOT_HELD');
  });

  it('can always be disabled, and described anew', () => {
    given([created, reliedOnBy(r1)])
      .when(ask('DisableFlag', { reason: 'down' }))
      .thenTypes('FlagDisabled');
    given([created, reliedOnBy(r1)])
      .when(put({ owner: 'team' }))
      .thenTypes('FlagChanged');
  });

  it('is relied on still after it was disabled and after its words were changed', () => {
    const { state } = given([created, reliedOnBy(r1), disabled]).when(put({ owner: 'team' }));
    expect(viewOf(state)?.reliedOn).toEqual([r1]);
    expect(given([created, reliedOnBy(r1)]).when(put({ owner: 'team' })).decision).toMatchObject([
      { data: { after: { reliedOn: [r1] } } },
    ]);
  });

  it('keeps through a view and a recovery who relies on it', () => {
    const flag: Flag = { definition, salt: 'salt-1', reliedOn: [r1, r2] };
    expect(viewOf(storedAs(flag, 3))).toEqual(flag);
  });
});

describe('a flag that a rollout changes', () => {
  it('is refused to others that would rely on it: it is about to move users', () => {
    expect(given([created, heldBy(r1)]).when(rely(r2)).decision).toMatchObject({
      code: 'FLAG_HELD',
      message: expect.stringContaining('r-1'),
    });
  });

  it('is refused to its own rollout as a reference: its prerequisites lead back to it', () => {
    given([created, heldBy(r1)])
      .when(rely(r1))
      .thenRejected('FLAG_RELIES_ON_ITSELF');
  });
});

describe('a release of what is relied on', () => {
  it('frees the flag of that rollout alone', () => {
    const released: FlagEvent = {
      type: 'FlagReleased',
      data: { ...ref, rollout: r1, reason: 'over' },
    };
    given([created, reliedOnBy(r1), reliedOnBy(r2)])
      .when(release(r1))
      .then([released]);
    expect(reliedOnAfter(created, reliedOnBy(r1), reliedOnBy(r2), released)).toEqual([r2]);
    expect(reliedOnAfter(created, reliedOnBy(r1), released)).toBe(undefined);
  });

  it('frees it of all when an admin asks, and tells whom', () => {
    const released: FlagEvent = {
      type: 'FlagReleased',
      data: { ...ref, rollout: r1, reason: 'over', rollouts: [r1, r2] },
    };
    given([created, reliedOnBy(r1), reliedOnBy(r2)])
      .when(release())
      .then([released]);
    expect(reliedOnAfter(created, reliedOnBy(r1), reliedOnBy(r2), released)).toBe(undefined);
  });

  it('changes nothing for one that does not rely on it, and comes too late from before a rollback', () => {
    given([created, reliedOnBy(r2)])
      .when(release(r1))
      .then([]);
    given([created, reliedOnBy(r1Later)])
      .when(release(r1))
      .thenRejected('GENERATION_OLD');
  });

  it('of a rollback frees what was held in the generation before', () => {
    given([created, reliedOnBy(r1)])
      .when(release(r1Later))
      .thenTypes('FlagReleased');
  });

  it('leaves the flag to a rollout of its own', () => {
    const released: FlagEvent = {
      type: 'FlagReleased',
      data: { ...ref, rollout: r1, reason: 'over' },
    };
    given([created, reliedOnBy(r1), released])
      .when(hold(r2))
      .thenTypes('FlagHeld');
  });
});

describe('whatever is asked, in whatever order', () => {
  const command: fc.Arbitrary<FlagCommand> = fc.oneof(
    fc.constantFrom(
      put({}),
      put(more),
      ask('DisableFlag', { reason: 'down' }),
      ask('EnableFlag', { reason: 'fixed' }),
      ask('DeleteFlag', { reason: 'old' }),
      release(),
    ),
    fc
      .record({ id: fc.constantFrom('r-1', 'r-2', 'r-3'), generation: fc.constantFrom(1, 2) })
      .chain((rollout) =>
        fc.constantFrom(
          rely(rollout),
          rely(rollout, true),
          hold(rollout),
          release(rollout),
          ask('SetExposure', { rollout, step: 's', percentage: 30_000 as Percentage }),
          ask('RestoreFlag', { definition, reason: 'back', rollout }),
        ),
      ),
  );

  it('is either changed by one rollout or relied on by others, and moves nobody while relied on', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 30 }), (commands) => {
        let flag = flagDecider.initial;
        for (const [at, each] of commands.entries()) {
          const was = viewOf(flag);
          const decision = flagDecider.decide(each, flag);
          for (const event of isRejection(decision) ? [] : decision)
            flag = flagDecider.evolve(flag, { ...event, metadata: { id: `e-${at}`, at } });
          const now = viewOf(flag);
          expect(now?.hold && now.reliedOn).toBe(undefined);
          expect(now?.reliedOn).not.toEqual([]);
          if (!was?.reliedOn) continue;
          expect(now?.definition).toEqual(was.definition);
          if (each.type !== 'DisableFlag') expect(now?.disabled).toEqual(was.disabled);
        }
      }),
    );
  });
});
