import { flagDefinition, type FlagEvent, type ScheduledChange } from '@tidegate/contracts';
import { isRejection } from '@tidegate/kernel';
import { specification } from '@tidegate/kernel/testing';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { flagDecider } from './flag.ts';
import type { AnyFlagCommand } from './recover-flag.ts';
import { dueEntry } from './schedule.ts';
import { type StoredFlag, viewOf } from './stored-flag.ts';

const ref = { environment: 'production', key: 'checkout-v2' };
const definition = flagDefinition.parse({
  type: 'boolean',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  offVariant: 'off',
  exposure: { variant: 'on', percentage: 0 },
});
const NOW = 1_000;
const metadataAt = (at: number) => ({
  id: 'c',
  source: 'http:alex',
  at,
  actor: 'alex',
  correlationId: 'c',
});
const ask = (type: string, data: object, at = NOW) =>
  ({
    type,
    key: 'production/checkout-v2',
    data: { ...ref, ...data },
    metadata: metadataAt(at),
  }) as unknown as AnyFlagCommand;

const entry = (at: number, change: ScheduledChange['change'], by = 'alex'): ScheduledChange => ({
  at,
  change,
  reason: `to ${change}`,
  by,
});
const unsigned = ({ by: _by, ...rest }: ScheduledChange) => rest;
const plan = (...entries: ScheduledChange[]) =>
  ask('ScheduleFlag', { schedule: entries.map(unsigned) });
const run = (scheduled: ScheduledChange, at = scheduled.at) =>
  ask('RunSchedule', { entry: scheduled }, at);

const created: FlagEvent = {
  type: 'FlagCreated',
  data: { ...ref, after: { definition, salt: 's' } },
};
const scheduled = (...schedule: ScheduledChange[]): FlagEvent => ({
  type: 'FlagScheduled',
  data: { ...ref, schedule },
});
const disabled: FlagEvent = {
  type: 'FlagDisabled',
  data: { ...ref, disabled: { reason: 'night', at: 5, by: 'alex' } },
};
const held: FlagEvent = {
  type: 'FlagHeld',
  data: { ...ref, rollout: { id: 'r-1', generation: 1 }, definition, disabled: true },
};

const given = specification(flagDecider);
/** What is left scheduled after a command. */
const leftAfter = (facts: readonly FlagEvent[], command: AnyFlagCommand) => {
  const { decision, state } = given(facts).when(command);
  if (isRejection(decision)) throw new Error(decision.message);
  const now = decision.reduce<StoredFlag>(
    (flag, event) => flagDecider.evolve(flag, { ...event, metadata: { id: 'e', at: NOW } }),
    state,
  );
  return viewOf(now)?.schedule ?? [];
};

describe('what is scheduled', () => {
  const night = entry(2_000, 'disable');
  const morning = entry(3_000, 'enable');

  it('stands in order of time, in the name of who asked', () => {
    given([created])
      .when(plan(morning, night))
      .then([scheduled(night, morning)]);
  });

  it('replaces what was before; what stays keeps who asked for it', () => {
    const others = entry(2_000, 'disable', 'blake');
    given([created, scheduled(others)])
      .when(plan(night, morning))
      .then([scheduled(others, morning)]);
    given([created, scheduled(others)])
      .when(plan(night))
      .then([]);
    given([created, scheduled(others)])
      .when(plan())
      .then([scheduled()]);
    expect(leftAfter([created, scheduled(others)], plan())).toEqual([]);
  });

  it('is in the future, and never two things at one moment', () => {
    for (const past of [NOW, NOW - 1])
      given([created])
        .when(plan(entry(past, 'disable')))
        .thenRejected('SCHEDULE_IN_PAST');
    given([created])
      .when(plan(night, entry(2_000, 'enable')))
      .thenRejected('SCHEDULE_AMBIGUOUS');
    given([]).when(plan(night)).thenRejected('FLAG_UNKNOWN');
  });

  it('is kept while the flag is changed, held and released', () => {
    const facts = [created, scheduled(morning), held];
    expect(leftAfter(facts, ask('ReleaseFlag', { reason: 'over' }))).toEqual([morning]);
    const described = { ...definition, owner: 'team' };
    expect(leftAfter(facts, ask('PutFlag', { definition: described, salt: 's' }))).toEqual([
      morning,
    ]);
  });
});

describe('when its time has come', () => {
  const night = entry(2_000, 'disable');
  const morning = entry(3_000, 'enable');

  it('an entry is a change like any other, and is gone', () => {
    const facts = [created, scheduled(night, morning)];
    expect(given(facts).when(run(night)).decision).toMatchObject([
      {
        type: 'FlagDisabled',
        data: { disabled: { reason: 'to disable', at: 2_000 }, scheduled: night },
      },
    ]);
    expect(leftAfter(facts, run(night))).toEqual([morning]);
    expect(given([...facts, disabled]).when(run(morning)).decision).toMatchObject([]);
    expect(
      given([created, disabled, scheduled(night, morning)]).when(run(morning)).decision,
    ).toMatchObject([{ type: 'FlagEnabled', data: { reason: 'to enable', scheduled: morning } }]);
  });

  it('of several whose time was missed only the last counts, in one change', () => {
    const facts = [created, disabled, scheduled(night, morning, entry(9_000, 'disable'))];
    given(facts).when(run(morning, 5_000)).thenTypes('FlagEnabled');
    expect(leftAfter(facts, run(morning, 5_000))).toEqual([entry(9_000, 'disable')]);
    given(facts).when(run(night, 5_000)).then([]);
  });

  it('and cannot be done, it is dropped, and says why', () => {
    const facts = [created, disabled, held, scheduled(morning)];
    expect(given(facts).when(run(morning)).decision).toMatchObject([
      {
        type: 'FlagScheduleSkipped',
        data: { scheduled: morning, code: 'FLAG_HELD', reason: expect.stringContaining('r-1') },
      },
    ]);
    expect(leftAfter(facts, run(morning))).toEqual([]);
  });

  it('and there is nothing to do, that is told too', () => {
    expect(given([created, scheduled(morning)]).when(run(morning)).decision).toMatchObject([
      { type: 'FlagScheduleSkipped', data: { code: 'FLAG_UNCHANGED' } },
    ]);
  });

  it('nothing is done for an entry that was taken back, changed, or is done already', () => {
    given([created, scheduled(morning)])
      .when(run(night))
      .then([]);
    given([created, scheduled({ ...night, reason: 'other' })])
      .when(run(night))
      .then([]);
    given([created]).when(run(night)).then([]);
    given([created, scheduled(night)])
      .when(run(night, 1_999))
      .then([]);
  });
});

describe('a kill', () => {
  const morning = entry(3_000, 'enable');
  const evening = entry(4_000, 'disable');
  const kill = ask('DisableFlag', { reason: 'down' });

  it('takes back whatever would turn the flag on again', () => {
    expect(leftAfter([created, scheduled(morning, evening)], kill)).toEqual([evening]);
  });

  it('does so also when the flag is off already', () => {
    const facts = [created, disabled, scheduled(morning, evening)];
    given(facts).when(kill).thenTypes('FlagDisabled');
    expect(leftAfter(facts, kill)).toEqual([evening]);
    given([created, disabled, scheduled(evening)])
      .when(kill)
      .then([]);
  });

  it('by a schedule is none: what it turned off for a while comes back', () => {
    const night = entry(2_000, 'disable');
    expect(leftAfter([created, scheduled(night, morning)], run(night))).toEqual([morning]);
  });
});

it('does, whatever was scheduled and however late, what the last entry due says', () => {
  const entries = fc
    .uniqueArray(fc.integer({ min: NOW + 1, max: 100_000 }), { maxLength: 10 })
    .chain((times) =>
      fc.tuple(
        ...times.map((at) =>
          fc.constantFrom<ScheduledChange['change']>('enable', 'disable').map((c) => entry(at, c)),
        ),
      ),
    );
  fc.assert(
    fc.property(entries, fc.array(fc.integer({ min: NOW, max: 110_000 })), (schedule, looks) => {
      const sorted = schedule.toSorted((a, b) => a.at - b.at);
      let flag = flagDecider.initial;
      for (const event of [created, scheduled(...sorted)])
        flag = flagDecider.evolve(flag, { ...event, metadata: { id: 'e', at: NOW } });
      for (const at of looks.toSorted((a, b) => a - b)) {
        const due = dueEntry(viewOf(flag)?.schedule ?? [], at);
        const decision = due ? flagDecider.decide(run(due, at), flag) : [];
        if (isRejection(decision)) throw new Error(decision.message);
        for (const event of decision)
          flag = flagDecider.evolve(flag, { ...event, metadata: { id: 'e', at } });
        const last = sorted.findLast((each) => each.at <= at);
        expect(flag.status).toBe(last?.change === 'disable' ? 'disabled' : 'enabled');
        expect(viewOf(flag)?.schedule ?? []).toEqual(sorted.filter((each) => each.at > at));
      }
    }),
  );
});
