/** Whether something outside this process can be reached, as it was found when it was last asked. */
export interface Reach {
  /** Since when it has not answered; undefined while it does. */
  readonly awaySince?: number;
  /** Why not. */
  readonly reason?: string;
  /** When it answered again after it had been away. */
  readonly backAt?: number;
}

/** @param reason why it did not answer; undefined if it did */
export function asked(
  { awaySince, backAt }: Reach,
  reason: string | undefined,
  now: number,
): Reach {
  if (reason !== undefined) return { awaySince: awaySince ?? now, reason };
  const back = awaySince === undefined ? backAt : now;
  return back === undefined ? {} : { backAt: back };
}
