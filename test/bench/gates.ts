import { availableParallelism } from 'node:os';
import { FACTORS, five, long, type Null, nulls, RATES, short, tight } from './gates.cases.ts';
import { writeDocuments } from './gates.documents.ts';
import type { Detection, NullCounts } from './gates.measure.ts';
import { rowsOf } from './gates.rows.ts';
import type { Field, RivalResult } from './gates.tuning.ts';
import { openWork, type Work } from './gates.work.ts';
import type { Shape } from './gates.plan.ts';
import type { Bench } from './main.ts';

/** How many rollouts of each kind: by default so many that it ends within minutes, with FULL=1 what is published. */
const full = process.env['FULL'] === '1';
const RUNS = full
  ? {
      null: 500,
      nullOfFive: 200,
      found: 101,
      late: 61,
      lateOfFive: 31,
      fields: 600,
      longFields: 100,
    }
  : { null: 40, nullOfFive: 20, found: 41, late: 11, lateOfFive: 11, fields: 200, longFields: 40 };
const AT_ONCE = 20;

export interface NullResult extends NullCounts {
  readonly null: Null;
}
export interface Comparison {
  readonly field: Field;
  readonly ours: readonly Detection[];
  readonly rivals: readonly RivalResult[];
}
export interface Results {
  readonly nulls: readonly NullResult[];
  /** Rollouts of three stages of 20 minutes, with one guard and with five. */
  readonly short: readonly Detection[];
  readonly shortOfFive: readonly Detection[];
  /** The first stage lasts a day; from its start, and after 20 hours. */
  readonly long: readonly Detection[];
  readonly late: readonly Detection[];
  readonly lateOfFive: readonly Detection[];
  readonly comparisons: readonly Comparison[];
}

/** In parts, so that all threads have something to do until the end. */
async function healthy(work: Work, index: number, each: Null): Promise<NullResult> {
  const runs = each.shape.limits.length > 1 ? RUNS.nullOfFive : RUNS.null;
  const parts = await Promise.all(
    Array.from({ length: runs / AT_ONCE }, (_, i) =>
      work.do('measureNull', index, 1 + i * AT_ONCE, AT_ONCE),
    ),
  );
  const sum = (of: (part: NullCounts) => number) => parts.reduce((all, part) => all + of(part), 0);
  const names = Object.keys(parts[0]?.rivals ?? {});
  return {
    null: each,
    runs,
    rolledBack: sum(({ rolledBack }) => rolledBack),
    held: sum(({ held }) => held),
    rivals: Object.fromEntries(names.map((name) => [name, sum(({ rivals }) => rivals[name] ?? 0)])),
  };
}

const LATE_RATES = [10, 100, 1_000];
/** Where rules are compared: requests per second, and whether the regression comes late. */
const FIELDS = [
  ...[10, 100, 1_000].map((requestsPerSecond) => ({
    shape: short,
    requestsPerSecond,
    late: false,
  })),
  ...[10, 100].map((requestsPerSecond) => ({ shape: long, requestsPerSecond, late: true })),
];

export async function measure(work: Work): Promise<Results> {
  const found = async (shape: Shape, rates: readonly number[], late: boolean) => {
    const ofFive = shape.limits.length > 1;
    const runs = !late ? RUNS.found : ofFive ? RUNS.lateOfFive : RUNS.late;
    const jobs = rates.map((rate) => work.do('detections', shape, rate, late, runs, FACTORS));
    return (await Promise.all(jobs)).flat();
  };
  // The longest first, so that the threads end together.
  const comparisons = FIELDS.flatMap(({ shape, requestsPerSecond, late }) =>
    [1, 0.5].map(async (healthyAt): Promise<Comparison> => {
      const runs = late
        ? { healthy: RUNS.longFields, broken: RUNS.late }
        : { healthy: RUNS.fields, broken: RUNS.found };
      const field = { shape, requestsPerSecond, late, healthyAt, ...runs };
      const rivals = work.do('compare', field);
      const ours = found(healthyAt === 1 ? shape : tight(shape), [requestsPerSecond], late);
      return { field, ours: await ours, rivals: await rivals };
    }),
  );
  const measured = {
    late: found(long, LATE_RATES, true),
    lateOfFive: found(five(long), [100], true),
    nulls: Promise.all(nulls.map((each, index) => healthy(work, index, each))),
    long: found(long, RATES, false),
    short: found(short, RATES, false),
    shortOfFive: found(five(short), [10, 100, 1_000], false),
  };
  return {
    nulls: await measured.nulls,
    short: await measured.short,
    shortOfFive: await measured.shortOfFive,
    long: await measured.long,
    late: await measured.late,
    lateOfFive: await measured.lateOfFive,
    comparisons: await Promise.all(comparisons),
  };
}

const bench: Bench = async (report) => {
  const work = openWork(availableParallelism());
  const results = await measure(work);
  await work.close();
  for (const row of rowsOf(results)) report(row);
  if (process.env['WRITE'] === '1') await writeDocuments(results, full);
};
export default bench;
