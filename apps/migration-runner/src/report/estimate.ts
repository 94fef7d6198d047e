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
    `writing, which a dry run cannot measure, takes ${WRITING} times as long as reading` +
    (niceRatio > 0 ? `; ${niceRatio} times as long as a batch is rest` : '') +
    '; nothing is waited for';
  return {
    documents: read,
    readMs: Math.round(readMs),
    transformMs: Math.round(transformMs),
    ...(read < ENOUGH ? {} : { likelyMs: Math.round(pending * work * (1 + niceRatio)) }),
    assumes,
  };
}
