import type { CutoverReport } from '@tidegate/contracts';
import type { CutoverMigration } from '@tidegate/migration';
import type { Report } from '../run/run.ts';
import { cutoverFindings, switchBackFindings } from './cutover-findings.ts';
import { judged, whyNot } from './findings.ts';
import { stored } from './stored.ts';

/** A migration that must be done before its old form is no longer read. */
export interface Part {
  readonly migration: string;
  /** The run that verified it under its present text, or `not yet`; left out of what need not be verified. */
  readonly verified?: string;
  counted(): Promise<{ readonly pending: number; readonly leftOnPurpose: number }>;
}

type Switch = Pick<CutoverMigration, 'flag' | 'variant'>;
export interface Proof {
  readonly action: CutoverReport['action'];
  readonly parts: readonly Part[];
  /** Lets programs write for this long; false: the time of the run is over. */
  readonly settle: (ms: number) => Promise<boolean>;
  readonly settleMs: number;
  /** What is switched next. */
  readonly switch?: Switch;
}

/**
 * That the new form alone may be read: every part is verified, and nothing is pending now nor after programs have written
 * for a while; undefined when the shift ended. `failure`: what is in the way.
 */
export async function cutoverReport(
  proof: Proof,
): Promise<{ report: Report; failure?: string } | undefined> {
  const now = await countedIn(proof.parts);
  // What is in the way already is known at once.
  const isClear = now.every(({ pending, leftOnPurpose }) => pending <= leftOnPurpose);
  const settledMs = isClear ? proof.settleMs : 0;
  if (settledMs > 0 && !(await proof.settle(settledMs))) return undefined;
  const later = settledMs > 0 ? await countedIn(proof.parts) : [];
  const of = now.map((each, index) => {
    const then = later[index];
    if (!then) return each;
    return { ...each, pendingLater: then.pending, leftOnPurposeLater: then.leftOnPurpose };
  });
  const { action } = proof;
  const facts = { about: 'cutover' as const, action, of, settledMs, ...flagOf(proof.switch) };
  const { verdict, findings } = judged(cutoverFindings(facts));
  const report = stored({ ...facts, verdict, findings });
  const failure = whyNot(findings);
  return failure === undefined ? { report } : { report, failure };
}

/** That the old form is to be read again. */
export const switchBackReport = (of: Switch): Report =>
  stored({
    about: 'cutover',
    action: 'revert',
    of: [],
    settledMs: 0,
    ...flagOf(of),
    ...judged(switchBackFindings(of)),
  });

const flagOf = (of: Switch | undefined) => (of ? { flag: of.flag, variant: of.variant } : {});

const countedIn = (parts: readonly Part[]): Promise<CutoverReport['of']> =>
  Promise.all(
    parts.map(async ({ migration, verified, counted }) => ({
      migration,
      ...(verified === undefined ? {} : { verified }),
      ...(await counted()),
    })),
  );
