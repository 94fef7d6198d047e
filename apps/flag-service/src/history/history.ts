import type { Flag, FlagEvent, Metadata, RolloutRef } from '@tidegate/contracts';
import type { Revision } from '@tidegate/kernel';
import { flagDecider } from '../flag/flag.ts';
import { storedAs, viewOf } from '../flag/stored-flag.ts';

/** One change of a flag: who, why, before and after. */
export interface PastChange {
  readonly epoch: number;
  readonly version: number;
  /** ms since 1970 */
  readonly at: number;
  readonly type: FlagEvent['type'];
  readonly by: string;
  readonly reason?: string;
  readonly rollout?: RolloutRef;
  /** The rollout or request that began it. */
  readonly correlationId: string;
  readonly before: Flag | null;
  readonly after: Flag | null;
}

/** Where a change stands in its flag's history: by epoch, then by version. Both stay below 2³², so it is exact. */
export const placeOf = ({ epoch, version }: Revision): number => epoch * 2 ** 32 + version;

/** @param last the change before it, as far as it is known */
export function pastChange(
  event: FlagEvent,
  { id, at, actor, correlationId }: Metadata,
  revision: Revision,
  last: PastChange | undefined,
): PastChange {
  const before = last?.after ?? null;
  const then = before ? storedAs(before, revision.version - 1) : flagDecider.initial;
  const now = flagDecider.evolve(then, { ...event, metadata: { id, at } });
  const reason = event.type === 'FlagDisabled' ? event.data.disabled.reason : reasonOf(event.data);
  const rollout = 'rollout' in event.data ? event.data.rollout : undefined;
  return {
    ...revision,
    at,
    type: event.type,
    by: actor,
    ...(reason === undefined ? {} : { reason }),
    ...(rollout === undefined ? {} : { rollout }),
    correlationId,
    before: 'before' in event.data ? event.data.before : before,
    after: viewOf(now),
  };
}

const reasonOf = (data: FlagEvent['data']): string | undefined =>
  'reason' in data ? data.reason : undefined;
