import type { FailedDocument, ReportChecksums, VerifyReport } from '@tidegate/contracts';
import { matches, type Row } from '@tidegate/migration';
import { everything, matched, pending } from '../run/batch.ts';
import type { Report } from '../run/run.ts';
import type { Key } from '../target/target.port.ts';
import { judged, whyNot } from './findings.ts';
import { invariantTally } from './invariant-tally.ts';
import { mismatchTally, type MismatchTally } from './mismatch-tally.ts';
import type { Inspection } from './plan.handler.ts';
import { preservedTally } from './preserved-tally.ts';
import { everyOf } from './read.handler.ts';
import { evenlyOf } from './reservoir.ts';
import { goOn, unlessEnded } from './shift-ended.handler.ts';
import { spreadOver } from './spread.handler.ts';
import { stored } from './stored.ts';
import { verifyFindings } from './verify-findings.ts';

/** What was written down of a document when it was changed. */
export interface Journalled {
  readonly key: Key;
  /** How the document is now: as the migration wrote it, as it was before, or edited since. */
  compare(now: Row): 'written' | 'before' | 'edited';
}

export interface Verification extends Inspection {
  /** What the last executing run has left as it was. */
  readonly leftBehind: readonly FailedDocument[];
  /** Newest first; undefined where nothing is journalled. */
  readonly journal?: AsyncIterable<Journalled>;
}

const DEFAULT_SAMPLE = 50;
const FOUND_AT_ONCE = 20;
const EXAMPLES = 5;

/**
 * An independent count of what is left, invariants over documents that are spread over all keys (or over all documents),
 * and changed documents against what was written down of them; undefined when the shift ended. `failure`: what is wrong.
 */
export const verifyReport = (
  verification: Verification,
): Promise<{ report: Report; failure?: string } | undefined> =>
  unlessEnded(async () => {
    const { migration, target } = verification;
    const mismatches = mismatchTally();
    const total = await target.count(matched(migration));
    const left = await pendingNow(verification, mismatches);
    const looked = await lookAt(verification, total, mismatches);
    const checksums = await compared(verification, mismatches);
    const facts = {
      about: 'documents' as const,
      action: 'verify' as const,
      matched: total,
      ...left,
      ...looked,
      ...(checksums ? { checksums } : {}),
      ...mismatches.result(),
    };
    const { verdict, findings } = judged(verifyFindings(facts));
    const report = stored({ ...facts, verdict, findings } satisfies VerifyReport);
    const failure = whyNot(findings);
    return failure === undefined ? { report } : { report, failure };
  });

const keysOf = (documents: readonly FailedDocument[]): ReadonlySet<Key> =>
  new Set(documents.map(({ key }) => key));

/** How much is pending, and how much of it on purpose. */
async function pendingNow(
  { migration, target, leftBehind }: Verification,
  mismatches: MismatchTally,
) {
  const left = pending(migration);
  const count = await target.count(left);
  const behind = keysOf(leftBehind);
  const onPurpose = await target.find(left, [...behind]);
  if (count > onPurpose.length)
    for (const row of await target.page(left, undefined, behind.size + EXAMPLES)) {
      const key = target.keyOf(left, row);
      if (!behind.has(key)) mismatches.add(key, 'is still pending');
    }
  return { pending: count, leftOnPurpose: onPurpose.length };
}

async function lookAt(verification: Verification, total: number, mismatches: MismatchTally) {
  const { migration, choices, leftBehind } = verification;
  const behind = keysOf(leftBehind);
  const [invariants, preserved] = [invariantTally(migration), preservedTally(migration)];
  const all = matched(migration);
  const wanted = choices.sampleSize ?? DEFAULT_SAMPLE;
  const isWhole = wanted >= total || (migration.preserved ?? []).length > 0;
  let [checked, broken] = [0, 0];
  const documents = isWhole
    ? everyOf(verification, all)
    : spreadOver(verification, all, { total, wanted });
  for await (const { key, row } of documents) {
    checked += 1;
    preserved.add(row);
    if (behind.has(key)) continue;
    if (matches(migration.pending, row)) mismatches.add(key, 'is still pending');
    const names = invariants.add(key, row);
    if (names.length === 0) continue;
    broken += 1;
    mismatches.add(key, `breaks ${names.join(', ')}`);
  }
  return { checked, broken, invariants: invariants.lines(), preserved: preserved.lines() };
}

/** Some of what was changed, spread over the whole journal, against what was written down. */
async function compared(
  { migration, target, shift, choices, leftBehind, journal }: Verification,
  mismatches: MismatchTally,
): Promise<ReportChecksums | undefined> {
  if (!journal) return undefined;
  const behind = keysOf(leftBehind);
  const some = evenlyOf<Journalled>(choices.sampleSize ?? DEFAULT_SAMPLE);
  for await (const entry of journal) {
    await goOn(shift);
    // Written down before the database refused it.
    if (!behind.has(entry.key)) some.add(entry);
  }
  // The newest entry of a document counts.
  const byKey = new Map([...some.items()].toReversed().map((entry) => [entry.key, entry]));
  const keys = [...byKey.keys()];
  const counts = { compared: keys.length, written: 0, edited: 0, before: 0, gone: 0 };
  for (let at = 0; at < keys.length; at += FOUND_AT_ONCE) {
    await goOn(shift);
    const asked = keys.slice(at, at + FOUND_AT_ONCE);
    // Also what the filter no longer takes since it was changed.
    const rows = await target.find(everything(migration), asked);
    counts.gone += asked.length - rows.length;
    for (const row of rows) {
      const key = target.keyOf(everything(migration), row);
      const how = byKey.get(key)?.compare(row) ?? 'edited';
      counts[how] += 1;
      if (how === 'before') mismatches.add(key, 'is again as it was before');
    }
  }
  return counts;
}
