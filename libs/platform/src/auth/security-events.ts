/** A refused request, as the audit should know it: never the key, never the address asked for with its query. */
export interface Refused {
  readonly code: string;
  readonly method: string;
  readonly route: string;
  readonly address: string;
  readonly caller?: string;
}

export interface SecurityEvent extends Refused {
  /** How many of the same were not published since the last one. */
  readonly suppressed: number;
}

export interface Bounds {
  /** At most one of the same kind in this time. */
  readonly everyMs: number;
  /** At most so many of all kinds in that time: whoever guesses keys cannot flood the audit log. */
  readonly atMost: number;
}

/** Lets one event of a kind (code, address, caller) through in each period, and counts the others. */
export function boundedEvents({
  everyMs,
  atMost,
}: Bounds): (refused: Refused, now: number) => SecurityEvent | undefined {
  let periodEnd = 0;
  let seen = new Map<string, number>();
  let before = new Map<string, number>();
  let rest = 0;
  return (refused, now) => {
    if (now >= periodEnd) {
      periodEnd = now + everyMs;
      before = seen;
      seen = new Map();
    }
    const kind = [refused.code, refused.address, refused.caller].join(' ');
    const count = seen.get(kind);
    if (count !== undefined || seen.size >= atMost) {
      if (count === undefined) rest += 1;
      else seen.set(kind, count + 1);
      return undefined;
    }
    seen.set(kind, 0);
    const suppressed = (before.get(kind) ?? 0) + rest;
    before.delete(kind);
    rest = 0;
    return { ...refused, suppressed };
  };
}
