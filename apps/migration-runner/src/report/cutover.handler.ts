import type { CutoverReport, FailedDocument } from '@tidegate/contracts';
import type { Migration } from '@tidegate/migration';
import { pending } from '../run/batch.ts';
import type { Report } from '../run/run.ts';
import type { Target } from '../target/target.port.ts';
import { cutoverFindings } from './cutover-findings.ts';
import { judged, whyNot } from './findings.ts';
import { stored } from './stored.ts';

/** A migration that must be done before its old form is no longer read. */
export interface Part {
  readonly migration: Migration;
  readonly target: Target;
  /** The run that verified it under its present text. */
  readonly verifiedBy?: string;
  readonly leftBehind: readonly FailedDocument[];
}

export interface Proof {
  readonly action: CutoverReport['action'];
  readonly parts: readonly Part[];
  /** Lets programs write for this long; false: the time of the run is over. */
  readonly settle: (ms: number) => Promise<boolean>;
  readonly settleMs: number;
  /** What is switched next. */
  readonly switch?: { readonly flag: string; readonly variant: string };
}

/**
 * That the new form alone may be read: every part is verified, and nothing is pending now nor after programs have written
 * for a while; undefined when the shift ended. `failure`: what is in the way.
 */
export async function cutoverReport(
  proof: Proof,
): Promise<{ report: Report; failure?: string } | undefined> {
  const now = await counted(proof.parts);
  // What is in the way already is known at once.
  const isClear = now.every(({ pending: left, leftOnPurpose }) => left <= leftOnPurpose);
  const settledMs = isClear ? proof.settleMs : 0;
  if (isClear && !(await proof.settle(settledMs))) return undefined;
  const later = isClear ? await counted(proof.parts) : [];
  const of = now.map((each, index) => {
    const pendingLater = later[index]?.pending;
    return pendingLater === undefined ? each : { ...each, pendingLater };
  });
  const facts = {
    about: 'cutover' as const,
    action: proof.action,
    of,
    settledMs,
    ...proof.switch,
  };
  const { verdict, findings } = judged(cutoverFindings(facts));
  const report = stored({ ...facts, verdict, findings });
  const failure = whyNot(findings);
  return failure === undefined ? { report } : { report, failure };
}

const counted = (parts: readonly Part[]): Promise<CutoverReport['of']> =>
  Promise.all(
    parts.map(async ({ migration, target, verifiedBy, leftBehind }) => {
      const left = pending(migration);
      const onPurpose = await target.find(
        left,
        leftBehind.map(({ key }) => key),
      );
      return {
        migration: migration.id,
        ...(verifiedBy === undefined ? {} : { verifiedBy }),
        pending: await target.count(left),
        leftOnPurpose: onPurpose.length,
      };
    }),
  );
