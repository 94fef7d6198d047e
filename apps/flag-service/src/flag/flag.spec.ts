import type { Flag, FlagCommand, FlagDefinition, FlagEvent } from '@tidegate/contracts';
import { isRejection, type Percentage } from '@tidegate/kernel';
import { specification } from '@tidegate/kernel/testing';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MAX_DEFINITION_BYTES } from './flag-refusals.ts';
import { NOTHING } from '../reference/known.ts';
import { flagDecider, flagDeciderKnowing } from './flag.ts';
import { type AnyFlagCommand, RECOVERED } from './recover-flag.ts';
import { viewOf } from './stored-flag.ts';

const given = specification(flagDecider);

const ref = { environment: 'production', key: 'checkout-v2' };
const percent = (value: number) => (value * 1_000) as Percentage;
const definition: FlagDefinition = {
  type: 'boolean',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  offVariant: 'off',
  exposure: { variant: 'on', percentage: percent(0) },
  allowedUsers: [],
  deniedUsers: [],
  settings: {},
  tags: [],
  prerequisites: [],
  rules: [],
};
const at10 = { ...definition, exposure: { variant: 'on', percentage: percent(10) } };
const salt = 'salt-1';
const before = { definition, salt };
const r1 = { id: 'r-1', generation: 1 };
const r1Later = { id: 'r-1', generation: 2 };
const r2 = { id: 'r-2', generation: 1 };

const ask = <T extends FlagCommand['type']>(
  type: T,
  data: Omit<Extract<FlagCommand, { type: T }>['data'], 'environment' | 'key'>,
): FlagCommand =>
  ({
    type,
    key: 'production/checkout-v2',
    data: { ...ref, ...data },
    metadata: { id: 'c-1', source: 'spec', at: 7, actor: 'alex', correlationId: 'c-1' },
  }) as unknown as FlagCommand;

const created: FlagEvent = { type: 'FlagCreated', data: { ...ref, after: before } };
const deleted: FlagEvent = { type: 'FlagDeleted', data: { ...ref, before, reason: 'done' } };
const disabledBy = { reason: 'checkout is down', at: 7, by: 'alex' };
const disabled: FlagEvent = { type: 'FlagDisabled', data: { ...ref, disabled: disabledBy } };
const heldBy = (rollout: typeof r1): FlagEvent => ({
  type: 'FlagHeld',
  data: { ...ref, rollout, definition, disabled: false },
});
const released: FlagEvent = {
  type: 'FlagReleased',
  data: { ...ref, rollout: r1, reason: 'rollout completed' },
};
const opened: FlagEvent = {
  type: 'FlagChanged',
  data: {
    ...ref,
    before: { ...before, hold: { rollout: r1, since: 7 } },
    after: { definition: at10, salt, hold: { rollout: r1, since: 7, step: 'canary' } },
    rollout: r1,
  },
};

const put = (changes: Partial<FlagDefinition>, expectedVersion?: number) =>
  ask('PutFlag', { definition: { ...definition, ...changes }, salt: 'salt-2', expectedVersion });
const setExposure = (rollout = r1, value = percent(10)) =>
  ask('SetExposure', { rollout, step: 'canary', percentage: value });
const disable = ask('DisableFlag', { reason: 'checkout is down' });
const restore = (rollout?: typeof r1, to = definition) =>
  ask('RestoreFlag', { definition: to, reason: 'rollback', rollout });
const release = (rollout?: typeof r1) => ask('ReleaseFlag', { reason: 'done', rollout });

describe('a flag that is written', () => {
  it('begins with the salt that the edge drew for it', () => {
    given([])
      .when(put({}))
      .then([{ type: 'FlagCreated', data: { ...ref, after: { definition, salt: 'salt-2' } } }]);
  });

  it('keeps its salt through every change', () => {
    const { decision } = given([created]).when(put({ allowedUsers: ['ada'] }));
    expect(decision).toMatchObject([
      {
        type: 'FlagChanged',
        data: { before, after: { salt, definition: { allowedUsers: ['ada'] } } },
      },
    ]);
  });

  it('is not changed by being written as it is', () => {
    given([created]).when(put({})).then([]);
  });

  it('gets a new salt when it is made again after being deleted', () => {
    given([created, deleted])
      .when(put({}))
      .then([{ type: 'FlagCreated', data: { ...ref, after: { definition, salt: 'salt-2' } } }]);
  });

  it('stays disabled when it is changed while disabled', () => {
    const { decision } = given([created, disabled]).when(put({ exposure: at10.exposure }));
    expect(decision).toMatchObject([{ data: { after: { disabled: disabledBy } } }]);
  });

  it('is refused when it is larger than everyone who asks for flags should hold', () => {
    const settings = { text: 'é'.repeat(MAX_DEFINITION_BYTES / 2) };
    given([]).when(put({ settings })).thenRejected('FLAG_TOO_LARGE');
    given([created]).when(put({ settings })).thenRejected('FLAG_TOO_LARGE');
    const larger = { text: 'x'.repeat(480 * 1_024) };
    const definition = { ...at10, settings: larger };
    given([created]).when(restore(undefined, definition)).thenRejected('FLAG_TOO_LARGE');
  });

  it('is refused when its settings are nested deeper than everyone can read', () => {
    let nested: Record<string, object> = {};
    for (let depth = 0; depth < 70; depth += 1) nested = { a: nested };
    given([])
      .when(put({ settings: nested as never }))
      .thenRejected('FLAG_INVALID');
  });

  it('is refused with a pattern that cannot be used, which is named', () => {
    const when = { attribute: 'email', operator: 'matches' as const, value: '(' };
    const { decision } = given([]).when(put({ rules: [{ when, variant: 'on' }] }));
    expect(decision).toMatchObject({
      code: 'FLAG_INVALID',
      message: expect.stringContaining('rules.0.when.value: '),
    });
  });

  it('is one of at most 5 000', () => {
    const full = specification(flagDeciderKnowing({ ...NOTHING, count: 5_000 }));
    full([]).when(put({})).thenRejected('FLAG_LIMIT_REACHED');
    full([deleted]).when(put({})).thenRejected('FLAG_LIMIT_REACHED');
    full([created]).when(put(at10)).thenTypes('FlagChanged');
  });

  it('is put back by a rollback whatever became of what it refers to', () => {
    const rules = [{ when: { segment: 'gone' }, variant: 'on' }];
    const old = { ...definition, rules };
    given([created, heldBy(r1)])
      .when(restore(r1Later, old))
      .thenTypes('FlagRestored');
    given([created]).when(restore(undefined, old)).thenRejected('FLAG_REFERENCE_UNKNOWN');
  });

  it('says why it was changed', () => {
    const command = ask('PutFlag', { definition: at10, salt, reason: 'opening it' });
    expect(given([created]).when(command).decision).toMatchObject([
      { data: { reason: 'opening it' } },
    ]);
  });
});

describe('a writer who expects a version', () => {
  it('is let through at that version', () => {
    given([created])
      .when(put({ owner: 'team' }, 1))
      .thenTypes('FlagChanged');
  });

  it('is refused when somebody changed the flag meanwhile', () => {
    given([created, opened])
      .when(put({ owner: 'team' }, 1))
      .thenRejected('FLAG_VERSION_CONFLICT');
  });

  it('is refused even when the flag already is what they write', () => {
    given([created, disabled]).when(put({}, 1)).thenRejected('FLAG_VERSION_CONFLICT');
  });

  it('creates with version 0, and only where there is no flag', () => {
    given([]).when(put({}, 0)).thenTypes('FlagCreated');
    given([created, deleted]).when(put({}, 0)).thenTypes('FlagCreated');
    given([created]).when(put({}, 0)).thenRejected('FLAG_VERSION_CONFLICT');
  });

  it('does not create a flag by changing one that is gone', () => {
    given([created, deleted]).when(put({}, 2)).thenRejected('FLAG_VERSION_CONFLICT');
  });

  it('does not delete what somebody changed meanwhile', () => {
    const remove = ask('DeleteFlag', { reason: 'old', expectedVersion: 1 });
    given([created, disabled]).when(remove).thenRejected('FLAG_VERSION_CONFLICT');
    given([created]).when(remove).thenTypes('FlagDeleted');
  });
});

describe('a flag that is not there', () => {
  const commands = [
    ask('DeleteFlag', { reason: 'old' }),
    setExposure(),
    ask('HoldFlag', { rollout: r1 }),
    release(),
    ask('EnableFlag', { reason: 'found it' }),
    disable,
    restore(),
  ];

  it.each(commands.map((command) => [command.type, command] as const))(
    'refuses %s, before it was made and after it was deleted',
    (_type, command) => {
      given([]).when(command).thenRejected('FLAG_UNKNOWN');
      given([created, deleted]).when(command).thenRejected('FLAG_UNKNOWN');
    },
  );
});

describe('a flag that a rollout holds', () => {
  it('tells the rollout what a rollback will put back', () => {
    given([created])
      .when(ask('HoldFlag', { rollout: r1 }))
      .then([heldBy(r1)]);
  });

  it('is held even while disabled, and says so', () => {
    expect(
      given([created, disabled]).when(ask('HoldFlag', { rollout: r1 })).decision,
    ).toMatchObject([{ type: 'FlagHeld', data: { disabled: true } }]);
  });

  it('is not held twice by the same rollout', () => {
    given([created, heldBy(r1)])
      .when(ask('HoldFlag', { rollout: r1 }))
      .then([]);
  });

  it('follows its rollout into a later generation, never back', () => {
    given([created, heldBy(r1)])
      .when(ask('HoldFlag', { rollout: r1Later }))
      .thenTypes('FlagHeld');
    given([created, heldBy(r1Later)])
      .when(ask('HoldFlag', { rollout: r1 }))
      .thenRejected('GENERATION_OLD');
  });

  it('tells its rollout again how it is, when asked to', () => {
    const again = ask('HoldFlag', { rollout: r1, tellAgain: true });
    given([created, heldBy(r1)])
      .when(again)
      .then([heldBy(r1)]);
    given([created, heldBy(r1Later)])
      .when(again)
      .thenRejected('GENERATION_OLD');
    given([created, heldBy(r2)])
      .when(again)
      .thenRejected('FLAG_HELD');
  });

  it('stays held since the same time, at the same step, in a later generation', () => {
    const { state } = given([created, heldBy(r1), opened, heldBy(r1Later)]).when(disable);
    expect(viewOf(state)?.hold).toEqual({ rollout: r1Later, since: 7, step: 'canary' });
  });

  it('is refused to another rollout, by name', () => {
    const { decision } = given([created, heldBy(r1)]).when(ask('HoldFlag', { rollout: r2 }));
    expect(decision).toMatchObject({ code: 'FLAG_HELD', message: expect.stringContaining('r-1') });
  });

  it.each([
    ['exposure', at10],
    ['variants', { variants: { ...definition.variants, maybe: true } }],
    ['the default', { defaultVariant: 'on' }],
    ['the off variant', { offVariant: 'on' }],
    ['allowed users', { allowedUsers: ['ada'] }],
    ['denied users', { deniedUsers: ['ada'] }],
    ['settings', { settings: { transactionTimeout: 5 } }],
  ] as const)('refuses a person who changes %s', (_what, changes) => {
    given([created, heldBy(r1)])
      .when(put(changes as never))
      .thenRejected('FLAG_HELD');
  });

  it('lets people change what only describes it', () => {
    const words = { owner: 'payments', description: 'new', tags: ['q4'], expiresAt: 99 };
    given([created, heldBy(r1)])
      .when(put(words))
      .thenTypes('FlagChanged');
  });

  it('refuses to be deleted, enabled or restored by a person', () => {
    given([created, heldBy(r1)])
      .when(ask('DeleteFlag', { reason: 'old' }))
      .thenRejected('FLAG_HELD');
    given([created, disabled, heldBy(r1)])
      .when(ask('EnableFlag', { reason: 'found it' }))
      .thenRejected('FLAG_HELD');
    given([created, heldBy(r1), opened])
      .when(restore())
      .thenRejected('FLAG_HELD');
  });

  it('can always be disabled, by anyone', () => {
    given([created, heldBy(r1)])
      .when(disable)
      .then([disabled]);
  });

  it('can be disabled by a rollout of an older generation, or by another one', () => {
    for (const rollout of [r1, r2])
      given([created, heldBy(r1Later)])
        .when(ask('DisableFlag', { reason: 'breach', rollout }))
        .thenTypes('FlagDisabled');
  });
});

describe('exposure', () => {
  it('is set by the rollout that holds the flag, and the step is shown', () => {
    given([created, heldBy(r1)])
      .when(setExposure())
      .then([opened]);
  });

  it('is not changed by being set as it is', () => {
    given([created, heldBy(r1), opened])
      .when(setExposure())
      .then([]);
  });

  it('keeps what the command leaves out', () => {
    const users = ask('SetExposure', { rollout: r1, step: 'canary', allowedUsers: ['ada'] });
    expect(given([created, heldBy(r1), opened]).when(users).decision).toMatchObject([
      { data: { after: { definition: { exposure: at10.exposure, allowedUsers: ['ada'] } } } },
    ]);
  });

  it('is refused to whoever does not hold the flag', () => {
    given([created]).when(setExposure()).thenRejected('FLAG_NOT_HELD');
    given([created, heldBy(r2)])
      .when(setExposure())
      .thenRejected('FLAG_NOT_HELD');
    given([created, heldBy(r1), released])
      .when(setExposure())
      .thenRejected('FLAG_NOT_HELD');
  });

  it('is refused from before a rollback', () => {
    given([created, heldBy(r1Later)])
      .when(setExposure())
      .thenRejected('GENERATION_OLD');
  });

  it('is refused while the flag is disabled', () => {
    given([created, heldBy(r1), disabled])
      .when(setExposure())
      .thenRejected('FLAG_DISABLED');
  });

  it('is refused for a variant that there is not, naming those there are', () => {
    const wrong = ask('SetExposure', { rollout: r1, step: 'canary', variant: 'blue' });
    const { decision } = given([created, heldBy(r1)]).when(wrong);
    expect(decision).toMatchObject({
      code: 'FLAG_INVALID',
      message: expect.stringContaining('on, off'),
    });
  });
});

describe('a stage that closes if nobody looks after it', () => {
  const watch = { closeIfSilentMs: 600_000, since: 7 };
  const openWatched = (step = 'canary', closeIfSilentMs: number | undefined = 600_000) =>
    ask('SetExposure', { rollout: r1, step, percentage: percent(10), closeIfSilentMs });
  const watched: FlagEvent = {
    type: 'FlagChanged',
    data: {
      ...ref,
      before: { ...before, hold: { rollout: r1, since: 7 } },
      after: { definition: at10, salt, hold: { rollout: r1, since: 7, step: 'canary', watch } },
      rollout: r1,
    },
  };
  const holdOf = (decision: unknown) =>
    (decision as [{ data: { after: { hold?: object } } }])[0].data.after.hold;

  it('has the wish in its hold, where every view sees it, and since when', () => {
    given([created, heldBy(r1)])
      .when(openWatched())
      .then([watched]);
  });

  it('is not changed by being asked for again, however much later', () => {
    const again = { ...openWatched(), metadata: { ...openWatched().metadata, at: 99 } };
    given([created, heldBy(r1), watched])
      .when(again)
      .then([]);
  });

  it('counts anew for the next stage, and ends with one that does not ask', () => {
    const later = { ...openWatched('half').metadata, at: 99 };
    const next = given([created, heldBy(r1), watched]).when({
      ...openWatched('half'),
      metadata: later,
    });
    expect(holdOf(next.decision)).toMatchObject({ watch: { ...watch, since: 99 } });
    const last = given([created, heldBy(r1), watched]).when(setExposure());
    expect(holdOf(last.decision)).toEqual({ rollout: r1, since: 7, step: 'canary' });
  });

  it('is watched no more once it is restored, and the hold stays', () => {
    const { decision } = given([created, heldBy(r1), watched]).when(restore(r1Later));
    expect(holdOf(decision)).toEqual({ rollout: r1Later, since: 7, step: 'canary' });
  });

  it('is watched again when its rollout holds the flag again', () => {
    const again = ask('HoldFlag', { rollout: r1, closeIfSilentMs: 600_000 });
    const heldAgain = {
      ...heldBy(r1),
      data: { ...ref, rollout: r1, definition: at10, disabled: false, closeIfSilentMs: 600_000 },
    } as FlagEvent;
    given([created, heldBy(r1), watched, released])
      .when(again)
      .then([heldAgain]);
    const { state } = given([created, heldBy(r1), watched, released, heldAgain]).when(disable);
    expect(viewOf(state)?.hold).toEqual({ rollout: r1, since: 7, watch });
  });
});

describe('a release', () => {
  it('frees the flag of the rollout that asks', () => {
    given([created, heldBy(r1)])
      .when(release(r1))
      .thenTypes('FlagReleased');
  });

  it('frees the flag of whatever holds it when an admin asks', () => {
    expect(given([created, heldBy(r1)]).when(release()).decision).toMatchObject([
      { type: 'FlagReleased', data: { rollout: r1 } },
    ]);
  });

  it('changes nothing for a rollout that does not hold the flag', () => {
    given([created]).when(release(r1)).then([]);
    given([created, heldBy(r2)])
      .when(release(r1))
      .then([]);
  });

  it('is refused from before a rollback', () => {
    given([created, heldBy(r1Later)])
      .when(release(r1))
      .thenRejected('GENERATION_OLD');
  });

  it('leaves the flag to the next rollout', () => {
    given([created, heldBy(r1), released])
      .when(ask('HoldFlag', { rollout: r2 }))
      .thenTypes('FlagHeld');
  });
});

describe('disabling and enabling', () => {
  it('disables once, however often the rollback asks', () => {
    given([created, disabled]).when(disable).then([]);
  });

  it('enables what was disabled, and only that', () => {
    const enable = ask('EnableFlag', { reason: 'found it' });
    given([created, disabled]).when(enable).thenTypes('FlagEnabled');
    given([created]).when(enable).then([]);
  });
});

describe('a restore', () => {
  it('puts the definition back and raises the generation, so that late commands are refused', () => {
    const hold = { rollout: r1, since: 7, step: 'canary' };
    const back: FlagEvent = {
      type: 'FlagRestored',
      data: {
        ...ref,
        before: { definition: at10, salt, hold },
        after: { definition, salt, hold: { ...hold, rollout: r1Later } },
        reason: 'rollback',
        rollout: r1Later,
      },
    };
    given([created, heldBy(r1), opened])
      .when(restore(r1Later))
      .then([back]);
    given([created, heldBy(r1), opened, back])
      .when(setExposure(r1, percent(50)))
      .thenRejected('GENERATION_OLD');
  });

  it('raises the generation also where the definition is back already', () => {
    given([created, heldBy(r1)])
      .when(restore(r1Later))
      .thenTypes('FlagRestored');
    given([created, heldBy(r1Later)])
      .when(restore(r1Later))
      .then([]);
  });

  it('never enables', () => {
    const { decision } = given([created, heldBy(r1), opened, disabled]).when(restore(r1Later));
    expect(decision).toMatchObject([
      { type: 'FlagRestored', data: { after: { definition, disabled: disabledBy } } },
    ]);
  });

  it('works for a person and for a past rollout when nothing holds the flag', () => {
    given([created]).when(restore(undefined, at10)).thenTypes('FlagRestored');
    given([created]).when(restore(r1, at10)).thenTypes('FlagRestored');
    given([created]).when(restore(r1)).then([]);
  });

  it('is refused while another rollout holds the flag', () => {
    given([created, heldBy(r2)])
      .when(restore(r1Later, at10))
      .thenRejected('FLAG_HELD');
  });

  it('is refused from before a later rollback', () => {
    given([created, heldBy(r1Later)])
      .when(restore(r1, at10))
      .thenRejected('GENERATION_OLD');
  });
});

describe('whatever is asked, in whatever order', () => {
  const command: fc.Arbitrary<FlagCommand> = fc.oneof(
    fc.constantFrom(
      put({}),
      put(at10),
      disable,
      ask('EnableFlag', { reason: 'x' }),
      release(),
      ask('DeleteFlag', { reason: 'x' }),
    ),
    fc
      .record({ id: fc.constantFrom('r-1', 'r-2'), generation: fc.integer({ min: 1, max: 3 }) })
      .chain((rollout) =>
        fc.constantFrom(
          ask('HoldFlag', { rollout }),
          setExposure(rollout, percent(50)),
          restore(rollout),
          release(rollout),
        ),
      ),
  );

  const run = (commands: readonly FlagCommand[]) => {
    let flag = flagDecider.initial;
    return commands.map((command, index) => {
      const was = flag;
      const decision = flagDecider.decide(command, flag);
      const events = isRejection(decision) ? [] : decision;
      for (const event of events)
        flag = flagDecider.evolve(flag, { ...event, metadata: { id: `e-${index}`, at: index } });
      return { command, was, now: flag, events };
    });
  };

  it('counts one version for each fact, and facts say before and after as it was', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 25 }), (commands) => {
        for (const { was, now, events } of run(commands)) {
          expect(events.length).toBeLessThanOrEqual(1);
          expect(now.version).toBe(was.version + events.length);
          const [event] = events;
          if (event && 'before' in event.data) expect(event.data.before).toEqual(viewOf(was));
          if (event && 'after' in event.data) expect(event.data.after).toEqual(viewOf(now));
        }
      }),
    );
  });

  it('enables only when asked to, and moves nobody of a held flag but for its rollout or the kill', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 25 }), (commands) => {
        for (const { command, was, now } of run(commands)) {
          if (was.status === 'disabled' && now.status === 'enabled')
            expect(command.type).toBe('EnableFlag');
          const [old, next] = [viewOf(was), viewOf(now)];
          if (!old?.hold || !next || command.type === 'DisableFlag') continue;
          const own = 'rollout' in command.data && command.data.rollout?.id === old.hold.rollout.id;
          if (!own) expect(next.definition).toEqual(old.definition);
        }
      }),
    );
  });
});

describe('a flag whose newer state the store has lost', () => {
  const from = { epoch: 1, version: 9 };
  const recover = (flag: Flag | null): AnyFlagCommand => ({
    type: 'RecoverFlag',
    data: { ...ref, flag, from },
    metadata: {
      id: 'recover',
      source: 'flag-service',
      at: 7,
      actor: 'flag-service',
      correlationId: 'c',
    },
  });
  const killed: Flag = { definition: at10, salt, disabled: disabledBy };
  const recovered = (state: Flag | null, after: Flag | null): FlagEvent => ({
    type: 'FlagRecovered',
    data: { ...ref, before: state, after, reason: RECOVERED, from },
  });

  it('is taken over whole, whatever the store has of it', () => {
    given([created])
      .when(recover(killed))
      .then([recovered(before, killed)]);
    given([])
      .when(recover(killed))
      .then([recovered(null, killed)]);
    given([created, deleted])
      .when(recover(killed))
      .then([recovered(null, killed)]);
    given([created, heldBy(r1)])
      .when(recover(null))
      .then([recovered({ ...before, hold: { rollout: r1, since: 7 } }, null)]);
  });

  it('stays as it is where nothing was lost, and when it is recovered already', () => {
    given([created]).when(recover(before)).then([]);
    given([created, recovered(before, killed)])
      .when(recover(killed))
      .then([]);
    given([created, recovered(before, null)])
      .when(recover(null))
      .then([]);
  });

  it('is from then on what was recovered: disabled, held, deleted', () => {
    given([created, recovered(before, killed)])
      .when(setExposure())
      .thenRejected('FLAG_NOT_HELD');
    given([created, recovered(before, killed)])
      .when(disable)
      .then([]);
    given([created, recovered(before, null)])
      .when(disable)
      .thenRejected('FLAG_UNKNOWN');
  });
});
