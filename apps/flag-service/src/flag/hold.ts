import type { Flag, FlagEvent, HoldFlag, ReleaseFlag, RolloutRef } from '@tidegate/contracts';
import type { Decision, Fact } from '@tidegate/kernel';
import { generationOld, held, type Ref, reliedOn, reliesOnItself } from './flag-refusals.ts';
import { joinedBy, without } from './reliance.ts';
import type { LivingFlag } from './stored-flag.ts';

/** A rollout claims the flag that it changes, alone; or, as a reference, one that it relies on, beside others. */
export function hold(command: HoldFlag, flag: LivingFlag): Decision<FlagEvent> {
  const { data } = command;
  if (data.asReference === true) return rely(command, flag);
  if (flag.reliedOn) return reliedOn(data, flag.reliedOn);
  if (!flag.hold) return [flagHeld(data, flag)];
  if (flag.hold.rollout.id !== data.rollout.id) return held(data, flag.hold);
  return again(data, flag, flag.hold.rollout);
}

function rely({ data }: HoldFlag, flag: LivingFlag): Decision<FlagEvent> {
  const { rollout } = data;
  if (flag.hold)
    return flag.hold.rollout.id === rollout.id
      ? reliesOnItself(data, rollout)
      : held(data, flag.hold);
  const known = flag.reliedOn?.find(({ id }) => id === rollout.id);
  return known ? again(data, flag, known) : [flagHeld(data, flag)];
}

function again(data: HoldFlag['data'], flag: LivingFlag, known: RolloutRef): Decision<FlagEvent> {
  const isKnown = known.generation === data.rollout.generation;
  if (isKnown && data.tellAgain !== true) return [];
  return generationOld(data.rollout, { rollout: known }) ?? [flagHeld(data, flag)];
}

const flagHeld = (
  { environment, key, rollout, closeIfSilentMs, asReference }: HoldFlag['data'],
  { definition, status }: LivingFlag,
): FlagEvent => ({
  type: 'FlagHeld',
  data: {
    environment,
    key,
    rollout,
    definition,
    disabled: status === 'disabled',
    ...(closeIfSilentMs === undefined ? {} : { closeIfSilentMs }),
    ...(asReference === true ? { asReference } : {}),
  },
});

/** Frees the flag from the rollout, whether it holds it or relies on it; without one, from whatever does. */
export function release({ data }: ReleaseFlag, flag: LivingFlag): Decision<FlagEvent> {
  const { rollout } = data;
  const holders = flag.hold ? [flag.hold.rollout] : (flag.reliedOn ?? []);
  const [first, ...others] = rollout ? holders.filter(({ id }) => id === rollout.id) : holders;
  if (!first) return [];
  const late = rollout && generationOld(rollout, { rollout: first });
  return late ?? [flagReleased(data, rollout ?? first, others.length > 0 ? holders : undefined)];
}

const flagReleased = (
  { environment, key, reason }: Ref & { readonly reason: string },
  rollout: RolloutRef,
  all: readonly RolloutRef[] | undefined,
): FlagEvent => ({
  type: 'FlagReleased',
  data: { environment, key, rollout, reason, ...(all ? { rollouts: [...all] } : {}) },
});

type Claimed = Extract<FlagEvent, { type: 'FlagHeld' | 'FlagReleased' }>;

/** Who holds the flag, and who relies on it, from such a fact on. */
export function relying(
  { hold, reliedOn, ...flag }: Flag,
  { data, type, metadata }: Fact<Claimed>,
): Flag {
  const { rollout } = data;
  if (type === 'FlagReleased') {
    const { rollouts = [rollout] } = data;
    const isFreed = hold && rollouts.some(({ id }) => id === hold.rollout.id);
    return { ...flag, ...(isFreed ? {} : { hold }), ...without(reliedOn, rollouts) };
  }
  if (data.asReference === true) return { ...flag, hold, ...joinedBy(reliedOn, rollout) };
  const { closeIfSilentMs } = data;
  const since = metadata.at;
  const same = hold?.rollout.id === rollout.id ? hold : { since };
  const watch = closeIfSilentMs === undefined ? {} : { watch: { closeIfSilentMs, since } };
  return { ...flag, hold: { ...same, rollout, ...watch }, reliedOn };
}
