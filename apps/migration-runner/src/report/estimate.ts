import type { PlanReport } from '@tidegate/contracts';

/** A document is written, with its before-image, in about so many times the time of reading it. */
const WRITING = 4;
const ENOUGH = 50;

interface Measured {
  /** Documents read, and of them transformed, in so much time. */
  readonly read: number;
  readonly readMs: number;
  readonly transformed: number;
  readonly transformMs: number;
}

/** How long the run may take. @param niceRatio rest after each batch, as a share of its time */
export function timeOf(pending: number, measured: Measured, niceRatio = 0): PlanReport['time'] {
  const { read, readMs, transformed, transformMs } = measured;
  const each = readMs / Math.max(1, read);
  const work = each * (1 + WRITING) + transformMs / Math.max(1, transformed);
  const assumes =
    `reading and transforming as fast as in this dry run, and writing, which it does not measure, in ${WRITING} times the time of reading` +
    (niceRatio > 0 ? `; after each batch a rest of ${niceRatio} times its time` : '') +
    '; no waiting';
  return {
    documents: read,
    readMs: Math.round(readMs),
    transformMs: Math.round(transformMs),
    ...(read < ENOUGH ? {} : { likelyMs: Math.round(pending * work * (1 + niceRatio)) }),
    assumes,
  };
}
