import type {
  DeleteFlag,
  DisableFlag,
  EnableFlag,
  Flag,
  FlagEvent,
  PutFlag,
  RestoreFlag,
  RolloutRef,
  ScheduledChange,
  SetExposure,
} from '@tidegate/contracts';
import { type Decider, type Decision, type Rejection } from '@tidegate/kernel';
import { flagReferences } from '../reference/check.ts';
import { type Known, NOTHING } from '../reference/known.ts';
import {
  flagInUse,
  flagLimit,
  isDisabled,
  generationOld,
  held,
  invalid,
  MAX_DEFINITION_BYTES,
  notHeld,
  type Ref,
  reliedOn,
  tooLarge,
  unknown,
  versionConflict,
} from './flag-refusals.ts';
import { equal, evolve, servesAlike } from './flag-evolve.ts';
import { hold, release } from './hold.ts';
import { type AnyFlagCommand, RECOVERED, type RecoverFlag } from './recover-flag.ts';
import { enables, runSchedule, type RunSchedule, schedule } from './schedule.ts';
import { type Hold, isLiving, type LivingFlag, type StoredFlag, viewOf } from './stored-flag.ts';

/** The facts that follow, at most one, so that versions count facts; none if nothing changes. */
function decide(command: AnyFlagCommand, flag: StoredFlag, known: Known): Decision<FlagEvent> {
  if (command.type === 'RecoverFlag') return recover(command, flag);
  if (command.type === 'PutFlag') return put(command, flag, known);
  if (!isLiving(flag)) return unknown(command.data);
  switch (command.type) {
    case 'DeleteFlag':
      return remove(command, flag, known);
    case 'SetExposure':
      return setExposure(command, flag);
    case 'HoldFlag':
      return hold(command, flag);
    case 'ReleaseFlag':
      return release(command, flag);
    case 'EnableFlag':
      return enable(command, flag);
    case 'DisableFlag':
      return disable(command, flag);
    case 'RestoreFlag':
      return restore(command, flag, known);
    case 'ScheduleFlag':
      return schedule(command, flag);
    case 'RunSchedule':
      return runSchedule(command, flag, (entry) => scheduled(command, entry, flag));
  }
}

function put({ data }: PutFlag, flag: StoredFlag, known: Known): Decision<FlagEvent> {
  const { definition, salt, disabled } = data;
  const refused = versionConflict(data, flag) ?? tooLarge(definition, MAX_DEFINITION_BYTES);
  if (refused) return refused;
  const wrong = () => flagReferences(data, definition, known);
  if (!isLiving(flag)) {
    const after = { definition, salt, ...(disabled ? { disabled } : {}) };
    return (
      wrong() ??
      flagLimit(data, known.count) ?? [
        { type: 'FlagCreated', data: { ...refOf(data), after, ...why(data) } },
      ]
    );
  }
  if (equal(definition, flag.definition)) return [];
  const kept = servesAlike(definition, flag.definition) ? undefined : keptFor(data, flag);
  return kept ?? wrong() ?? [changed('FlagChanged', data, flag, { ...flag, definition })];
}

function remove({ data }: DeleteFlag, flag: LivingFlag, known: Known): Decision<FlagEvent> {
  const conflict = versionConflict(data, flag);
  if (conflict) return conflict;
  const kept = keptFor(data, flag);
  if (kept) return kept;
  const used = flagInUse(data, known.users);
  if (used) return used;
  const before = present(flag);
  return [{ type: 'FlagDeleted', data: { ...refOf(data), before, reason: data.reason } }];
}

function setExposure(command: SetExposure, flag: LivingFlag): Decision<FlagEvent> {
  const { data } = command;
  const { rollout, step, percentage, variant, allowedUsers } = data;
  if (flag.hold?.rollout.id !== rollout.id) return notHeld(data, rollout, flag.hold);
  const late = generationOld(rollout, flag.hold);
  if (late) return late;
  if (flag.status === 'disabled') return isDisabled(data, flag.disabled);
  const exposure = {
    percentage: percentage ?? flag.definition.exposure.percentage,
    variant: variant ?? flag.definition.exposure.variant,
  };
  const definition = {
    ...flag.definition,
    exposure,
    allowedUsers: allowedUsers ?? flag.definition.allowedUsers,
  };
  const hold = { ...unwatched(flag.hold), rollout, step, ...watchFor(command, flag.hold) };
  const next = { ...flag, definition, hold };
  return equal(next, flag)
    ? []
    : (invalid(definition) ?? tooLarge(definition) ?? [changed('FlagChanged', data, flag, next)]);
}

/** The same wish of the same stage counts from when it came first; a stage without the wish is not watched. */
function watchFor({ data, metadata }: SetExposure, { step, watch }: Hold): Pick<Hold, 'watch'> {
  const { closeIfSilentMs } = data;
  if (closeIfSilentMs === undefined) return {};
  const isKnown = step === data.step && watch?.closeIfSilentMs === closeIfSilentMs;
  return { watch: isKnown ? watch : { closeIfSilentMs, since: metadata.at } };
}

function unwatched({ watch: _watch, ...hold }: Hold): Hold {
  return hold;
}

/** Takes over what the state topic says, whatever the store has: it is what everybody was served last. */
function recover({ data }: RecoverFlag, flag: StoredFlag): Decision<FlagEvent> {
  const before = viewOf(flag);
  const { flag: after, from } = data;
  if (equal(before, after)) return [];
  const reason = RECOVERED;
  return [{ type: 'FlagRecovered', data: { ...refOf(data), before, after, reason, from } }];
}

function enable({ data }: Pick<EnableFlag, 'data'>, flag: LivingFlag): Decision<FlagEvent> {
  const conflict = versionConflict(data, flag);
  if (conflict) return conflict;
  if (flag.status === 'enabled') return [];
  const kept = keptFor(data, flag);
  if (kept) return kept;
  return [{ type: 'FlagEnabled', data: { ...refOf(data), ...why(data) } }];
}

/**
 * The kill: no hold, generation or version stands in its way. Of a flag that is off already it takes what would turn it
 * on again later.
 */
function disable(
  { data, metadata }: Pick<DisableFlag, 'data' | 'metadata'>,
  flag: LivingFlag,
): Decision<FlagEvent> {
  if (flag.status === 'disabled' && !flag.schedule?.some(enables)) return [];
  const disabled = { reason: data.reason, at: metadata.at, by: metadata.actor };
  const rollout = data.rollout ? { rollout: data.rollout } : {};
  return [{ type: 'FlagDisabled', data: { ...refOf(data), disabled, ...rollout } }];
}

/** What an entry of the schedule comes to. */
function scheduled(
  { data, metadata }: RunSchedule,
  { change, reason }: ScheduledChange,
  flag: LivingFlag,
): Decision<FlagEvent> {
  if (change === 'enable') return enable({ data: { ...refOf(data), reason } }, flag);
  return flag.status === 'disabled'
    ? []
    : disable({ data: { ...refOf(data), reason }, metadata }, flag);
}

/**
 * Never enables. A rollout's restore also raises its hold's generation: what it sent before comes too late. What is
 * restored is not open any more, and needs nobody to watch it.
 */
function restore({ data }: RestoreFlag, flag: LivingFlag, known: Known): Decision<FlagEvent> {
  const { definition, rollout } = data;
  const conflict = versionConflict(data, flag);
  if (conflict) return conflict;
  if (flag.hold) {
    if (flag.hold.rollout.id !== rollout?.id) return held(data, flag.hold);
    const late = generationOld(rollout, flag.hold);
    if (late) return late;
  }
  if (flag.reliedOn) return reliedOn(data, flag.reliedOn);
  const next = {
    ...flag,
    definition,
    ...(flag.hold && rollout ? { hold: { ...unwatched(flag.hold), rollout } } : {}),
  };
  if (equal(next, flag)) return [];
  return (
    tooLarge(definition) ??
    // A rollback goes back to what was served before, whatever became of that meanwhile.
    (rollout ? undefined : flagReferences(data, definition, known)) ?? [
      changed('FlagRestored', data, flag, next),
    ]
  );
}

/** Why nobody may move its users now: a rollout opens it, or others rely on it. */
const keptFor = (ref: Ref, flag: LivingFlag): Rejection | undefined =>
  flag.hold ? held(ref, flag.hold) : flag.reliedOn && reliedOn(ref, flag.reliedOn);

const refOf = ({ environment, key }: Ref): Ref => ({ environment, key });

interface Why {
  readonly reason?: string | undefined;
  readonly rollout?: RolloutRef | undefined;
}
const why = ({ reason, rollout }: Why): { reason?: string; rollout?: RolloutRef } => ({
  ...(reason === undefined ? {} : { reason }),
  ...(rollout === undefined ? {} : { rollout }),
});

const present = (flag: LivingFlag): Flag => viewOf(flag) as Flag;

const changed = (
  type: 'FlagChanged' | 'FlagRestored',
  data: Ref & Why,
  before: LivingFlag,
  after: LivingFlag,
): FlagEvent => ({
  type,
  data: { ...refOf(data), before: present(before), after: present(after), ...why(data) },
});

export type FlagDecider = Decider<StoredFlag, AnyFlagCommand, FlagEvent>;

/** The rules, for one command: with what they must know of other documents. */
export const flagDeciderKnowing = (known: Known): FlagDecider => ({
  initial: { status: 'absent', version: 0 },
  decide: (command, flag) => decide(command, flag, known),
  evolve,
});

export const flagDecider = flagDeciderKnowing(NOTHING);
