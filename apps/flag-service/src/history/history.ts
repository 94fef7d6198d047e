import type { Flag, FlagEvent, Metadata, RolloutRef } from '@tidegate/contracts';
import type { Decider, Draft, Revision } from '@tidegate/kernel';

/** One change of a flag, or of a segment: who, why, before and after. */
export interface PastChange<V = Flag, M extends Draft = FlagEvent> {
  readonly epoch: number;
  readonly version: number;
  /** ms since 1970 */
  readonly at: number;
  readonly type: M['type'];
  readonly by: string;
  readonly reason?: string;
  readonly rollout?: RolloutRef;
  /** The rollout or request that began it. */
  readonly correlationId: string;
  readonly before: V | null;
  readonly after: V | null;
}

/** A kind of document whose changes are kept. */
export interface Kept<S, V, M extends Draft> {
  readonly decider: Pick<Decider<S, never, M>, 'initial' | 'evolve'>;
  /** As views hold it. */
  readonly viewOf: (state: S) => V | null;
  readonly stored: (view: V, version: number) => S;
}

/** Where a change stands in its document's history: by epoch, then by version. Both stay below 2³², so it is exact. */
export const placeOf = ({ epoch, version }: Revision): number => epoch * 2 ** 32 + version;

/** @param last the change before it, as far as it is known */
export function pastChange<S, V, M extends Draft>(
  { decider, stored, viewOf }: Kept<S, V, M>,
  event: M,
  { id, at, actor, correlationId }: Metadata,
  revision: Revision,
  last: PastChange<V, M> | undefined,
): PastChange<V, M> {
  const before = last?.after ?? null;
  const then = before ? stored(before, revision.version - 1) : decider.initial;
  const now = decider.evolve(then, { ...event, metadata: { id, at } });
  const said = event.data as Said<V>;
  const reason = said.disabled?.reason ?? said.reason;
  return {
    ...revision,
    at,
    type: event.type,
    by: actor,
    ...(reason === undefined ? {} : { reason }),
    ...(said.rollout === undefined ? {} : { rollout: said.rollout }),
    correlationId,
    before: said.before === undefined ? before : said.before,
    after: viewOf(now),
  };
}

/** What some events tell beside their subject. */
interface Said<V> {
  readonly reason?: string;
  readonly rollout?: RolloutRef;
  readonly before?: V | null;
  /** FlagHeld says with it only whether. */
  readonly disabled?: { readonly reason?: string } & object;
}
