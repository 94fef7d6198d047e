import type { PlanReport } from '@tidegate/contracts';
import type { Clock } from '@tidegate/kernel';
import { matches, type Migration } from '@tidegate/migration';
import { matched, pending } from '../run/batch.ts';
import type { Report } from '../run/run.ts';
import type { Key } from '../target/target.port.ts';
import type { Choices } from './choices.ts';
import { timeOf } from './estimate.ts';
import { judged } from './findings.ts';
import { aboutColumns, planFindings } from './plan-findings.ts';
import { planTally, type PlanTally } from './plan-tally.ts';
import { everyOf, type Reader } from './read.handler.ts';
import { rollbackOf } from './rollback.ts';
import { unlessEnded } from './shift-ended.handler.ts';
import { lastKeyOf, spreadOver } from './spread.handler.ts';
import { stored } from './stored.ts';

export interface Inspection extends Reader {
  readonly migration: Migration;
  readonly choices: Choices;
  readonly clock: Clock;
}

/** Documents that are not pending, whose invariants are looked at. */
const OTHERS = 200;
const ARRIVALS = 100;

/**
 * What the migration would do, read through a connection that cannot write; undefined when the shift ended.
 * Memory does not grow with the data.
 */
export const planReport = (inspection: Inspection): Promise<{ report: Report } | undefined> =>
  unlessEnded(async () => {
    const { migration, choices, target } = inspection;
    const { lastKey, ...stand } = await standOf(inspection);
    const tally = planTally(migration, target.documentLimit);
    const measured = await passOver(inspection, tally);
    const { tried, added, ...found } = tally.result();
    const facts = {
      about: 'documents' as const,
      action: 'plan' as const,
      ...stand,
      ...found,
      writers: await arrivals(inspection, lastKey),
      time: timeOf(stand.pending, { ...measured, transformed: tried }, choices.flow?.niceRatio),
      rollback: rollbackOf(migration, choices),
    };
    const findings = [
      ...planFindings(migration, choices, facts),
      ...aboutColumns(migration, target.hasColumns ? added : []),
    ];
    return { report: stored({ ...facts, ...judged(findings) }) };
  });

/** How everything stands before anything is read. */
async function standOf({ migration, target, shift }: Inspection) {
  const [all, left] = [matched(migration), pending(migration)];
  const { index = 'none', detail } = await target.readBy(left);
  const { detail: words, ...figures } = await target.health();
  return {
    server: await target.server(),
    matched: await target.count(all),
    pending: await target.count(left),
    index,
    reading: detail,
    readiness: { ...figures, detail: [...words] },
    lastKey: await lastKeyOf({ target, shift }, all),
  };
}

/** All that is pending; or all that there is, where sums over all are wanted. */
async function passOver(inspection: Inspection, tally: PlanTally) {
  const { migration, clock } = inspection;
  const isWhole = (migration.preserved ?? []).length > 0;
  const startedAt = clock.now();
  let [read, readMs] = [0, 0];
  const measured = async <T>(reading: () => Promise<T>): Promise<T> => {
    const from = clock.now();
    const result = await reading();
    readMs += clock.now() - from;
    return result;
  };
  const selection = isWhole ? matched(migration) : pending(migration);
  for await (const { key, row } of everyOf(inspection, selection, measured)) {
    read += 1;
    tally.add(key, row);
  }
  const transformMs = clock.now() - startedAt - readMs;
  if (!isWhole) await lookAtOthers(inspection, tally);
  return { read, readMs, transformMs };
}

async function lookAtOthers(inspection: Inspection, tally: PlanTally): Promise<void> {
  const { migration, target } = inspection;
  if ((migration.invariants ?? []).length === 0) return;
  const all = matched(migration);
  const spread = { total: await target.count(all), wanted: OTHERS };
  for await (const { key, row } of spreadOver(inspection, all, spread))
    if (!matches(migration.pending, row)) tally.add(key, row);
}

/** What programs have written since the greatest key was looked for. */
async function arrivals(
  { migration, target }: Inspection,
  lastKey: Key | undefined,
): Promise<PlanReport['writers']> {
  const rows =
    lastKey === undefined ? [] : await target.page(matched(migration), lastKey, ARRIVALS);
  return {
    arrived: rows.length,
    arrivedPending: rows.filter((row) => matches(migration.pending, row)).length,
    pendingLater: await target.count(pending(migration)),
  };
}
