import type { Flag, FlagDefinition, RolloutRef, ScheduledChange } from '@tidegate/contracts';

export type Hold = NonNullable<Flag['hold']>;

interface Living {
  /** Counts the changes, as the document does: here, so that the rules can check what a writer expects. */
  readonly version: number;
  readonly definition: FlagDefinition;
  /** Random once: no edit moves a user. A flag that is deleted and made again has another. */
  readonly salt: string;
  /** The rollout that alone may change whom the flag reaches. */
  readonly hold?: Hold;
  /** Rollouts of other flags that rely on it: nobody may change whom it reaches. Never empty, never beside a hold. */
  readonly reliedOn?: readonly RolloutRef[];
  /** In order of time, never empty. */
  readonly schedule?: readonly ScheduledChange[];
  /** When what it serves changed last, ms since 1970; left out where nobody knows any more. Not for views. */
  readonly servedSince?: number;
}

type EnabledFlag = Living & { readonly status: 'enabled' };
type DisabledFlag = Living & {
  readonly status: 'disabled';
  readonly disabled: NonNullable<Flag['disabled']>;
};

export type StoredFlag =
  | { readonly status: 'absent'; readonly version: 0 }
  | EnabledFlag
  | DisabledFlag
  | { readonly status: 'deleted'; readonly version: number };

export type LivingFlag = EnabledFlag | DisabledFlag;

export const isLiving = (flag: StoredFlag): flag is LivingFlag =>
  flag.status === 'enabled' || flag.status === 'disabled';

/** The flag as views hold it; null when there is none. */
export const viewOf = (flag: StoredFlag): Flag | null =>
  isLiving(flag)
    ? {
        definition: flag.definition,
        salt: flag.salt,
        ...(flag.status === 'disabled' ? { disabled: flag.disabled } : {}),
        ...(flag.hold ? { hold: flag.hold } : {}),
        ...(flag.reliedOn ? { reliedOn: [...flag.reliedOn] } : {}),
        ...(flag.schedule ? { schedule: [...flag.schedule] } : {}),
      }
    : null;

/** The other way round: what a fact says the flag is from now on. */
export function storedAs(
  { definition, salt, disabled, hold, reliedOn, schedule }: Flag,
  version: number,
): LivingFlag {
  const living = {
    version,
    definition,
    salt,
    ...(hold ? { hold } : {}),
    ...(reliedOn && reliedOn.length > 0 ? { reliedOn } : {}),
    ...(schedule && schedule.length > 0 ? { schedule } : {}),
  };
  return disabled ? { status: 'disabled', disabled, ...living } : { status: 'enabled', ...living };
}
