import { FULL, NONE } from '@tidegate/kernel';
import type { Asked } from '../adoption/last-asked.port.ts';
import type { LivingFlag } from './stored-flag.ts';

/**
 * Why a flag may not be needed any more:
 *   expired        its `expiresAt` has passed; it goes on serving
 *   one-sided      nothing tells its users apart, all get one variant, for long
 *   not-asked      nobody has evaluated it for long, and no flag has it as a prerequisite
 *   disabled-long  turned off for long
 */
export type StaleReason = 'expired' | 'one-sided' | 'not-asked' | 'disabled-long';

export interface Stale {
  readonly reason: StaleReason;
  /** ms since 1970 */
  readonly since: number;
}

/** Of a flag that is meant to stay, e.g. a switch for emergencies: only its expiry counts. */
export const PERMANENT = 'permanent';

export interface Circumstances {
  readonly now: number;
  /** How long is long. */
  readonly longMs: number;
  /** Another flag has it as a prerequisite: it is evaluated with that one, and nobody counts it. */
  readonly isUsed: boolean;
}

/** All reasons that there are. */
export function staleness(
  key: string,
  flag: LivingFlag,
  asked: Asked,
  { now, longMs, isUsed }: Circumstances,
): readonly Stale[] {
  const { definition } = flag;
  const found: Stale[] = [];
  const add = (reason: StaleReason, since: number | undefined, ms = longMs) => {
    if (since !== undefined && now - since >= ms) found.push({ reason, since });
  };
  add('expired', definition.expiresAt, 0);
  if (definition.tags.includes(PERMANENT) || flag.hold || flag.reliedOn) return found;
  if (flag.status === 'disabled') add('disabled-long', flag.disabled.at);
  else if (isOneSided(flag)) add('one-sided', flag.servedSince);
  if (!isUsed) add('not-asked', unaskedSince(key, flag, asked));
  return found;
}

/** Everybody gets the same variant, whoever they are. */
function isOneSided({ definition }: LivingFlag): boolean {
  const { exposure, rules, allowedUsers, deniedUsers, prerequisites } = definition;
  if (rules.length > 0 || prerequisites.length > 0) return false;
  if (exposure.percentage === NONE) return allowedUsers.length === 0;
  return exposure.percentage === FULL && deniedUsers.length === 0 && exposure.split === undefined;
}

/** Whoever fetches all flags at once may use any of them. Before it was as it is now, nobody could ask for it as such. */
const unaskedSince = (
  key: string,
  { servedSince = 0 }: LivingFlag,
  { countedSince, flags, lastFetched = 0 }: Asked,
): number => Math.max(flags.get(key) ?? countedSince, lastFetched, servedSince);
