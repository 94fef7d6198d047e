/** How many documents were dealt with in how long, older ones counting for less and less. */
export interface Rate {
  /** Until when it has been counted. */
  readonly at: number;
  readonly documents: number;
  readonly ms: number;
}

/** What is so old counts for a third. */
const FADES_IN_MS = 60_000;
const SPARE_MS = 10_000;

/** Time before this is not counted: the run was not to go on then. */
export const rateFrom = (rate: Rate | undefined, at: number): Rate => ({
  documents: 0,
  ms: 0,
  ...rate,
  at,
});

export interface Counted {
  readonly documents: number;
  readonly tookMs: number;
  readonly niceRatio?: number | undefined;
}

/**
 * With everything since the batch before: reading, writing, recording, rest. More than that, and some time to spare, is
 * the time in which there was no runner.
 */
export function rateAfter(rate: Rate | undefined, batch: Counted, at: number): Rate {
  if (rate === undefined) return rateFrom(undefined, at);
  const { documents, tookMs, niceRatio = 0 } = batch;
  const most = SPARE_MS + tookMs * (1 + niceRatio);
  const passed = Math.min(most, Math.max(0, at - rate.at));
  const kept = Math.exp(-passed / FADES_IN_MS);
  return { at, documents: rate.documents * kept + documents, ms: rate.ms * kept + passed };
}

/** Documents a second; undefined before any time has passed. */
export const perSecond = ({ documents, ms }: Rate): number | undefined =>
  documents > 0 && ms > 0 ? (documents * 1_000) / ms : undefined;
