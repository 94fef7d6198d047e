import pc from 'picocolors';
import { facts, time } from '../output/output.ts';

const problemKinds = [
  'archive-empty', // there is no seal
  'archive-behind', // it ends before the seal that was expected
  'seal-unreadable', // its file is damaged
  'seal-forged', // its signature, name or peaks do not fit
  'seal-missing', // records that no seal covers
  'seal-unexpected', // not the root that was expected
  'key-unusable', // a public key that cannot be read
  'key-unknown', // signed with a key that is not at hand
  'segment-missing',
  'segment-damaged', // cannot be decompressed to its end
  'segment-changed', // not the bytes that were digested
  'file-unknown', // of no seal
  'record-unreadable',
  'record-changed',
  'record-missing',
  'record-displaced',
  'records-changed', // they do not hash to the sealed root, and do not tell which
  'origin-skipped', // a record of the bus is missing, and no gap says so
] as const;
type ProblemKind = (typeof problemKinds)[number];

export interface Problem {
  readonly kind: ProblemKind;
  /** The record, or the first of those, that it is about. */
  readonly position?: number;
  /** The last one, if there are several. */
  readonly to?: number;
  readonly file?: string;
  readonly message: string;
}

export interface VerifyReport {
  readonly proven: boolean;
  readonly folder: string;
  /** Sealed records. */
  readonly records: number;
  /** Those whose content has been taken out; manifest and proof remain. */
  readonly redacted: number;
  /** Places where records of the bus were lost before they could be recorded. */
  readonly gaps: number;
  readonly segments: number;
  readonly seals: number;
  readonly newest?: { size: number; root: string; sealedAt: number; keyId: string };
  /** True if the keys came from outside the archive. */
  readonly keyPinned: boolean;
  /** True if the seal that was expected is the archive's. */
  readonly sealExpected?: boolean;
  /** Segments after the newest seal: not proven yet, and no problem. */
  readonly unsealedFiles: number;
  readonly problems: readonly Problem[];
  /** Found beside those listed. */
  readonly moreProblems: number;
}

const number = new Intl.NumberFormat('en-US');
const MOST_SHOWN = 20;

/** For people. */
export function renderReport(report: VerifyReport): string {
  const { newest, unsealedFiles, keyPinned } = report;
  const summary = facts([
    ['archive', report.folder],
    ['records', countsOf(report)],
    ['segments', number.format(report.segments)],
    ['seals', number.format(report.seals)],
    ['newest seal', newest && `${newest.root}:${newest.size}`],
    ['sealed at', newest && `${time(newest.sealedAt)} by ${newest.keyId}`],
    ['key', keyPinned ? 'the one given' : KEY_FROM_ARCHIVE],
    ['not sealed yet', unsealedFiles > 0 ? `${number.format(unsealedFiles)} files` : undefined],
  ]);
  return [summary, '', ...(report.proven ? [PROVEN] : problemLines(report))].join('\n');
}

const KEY_FROM_ARCHIVE = 'from the archive itself; with --key it is held against one you trust';
const PROVEN = `${pc.green(pc.bold('PROVEN'))}  Every record is the one that was sealed, and in its place.`;

function countsOf({ records, redacted, gaps }: VerifyReport): string {
  const extra = [
    ...(redacted > 0 ? [`${number.format(redacted)} redacted`] : []),
    ...(gaps > 0 ? [`${number.format(gaps)} gaps`] : []),
  ];
  return number.format(records) + (extra.length > 0 ? ` (${extra.join(', ')})` : '');
}

function problemLines({ problems, moreProblems }: VerifyReport): string[] {
  const shown = problems.slice(0, MOST_SHOWN);
  const rest = problems.length - shown.length + moreProblems;
  const count = problems.length + moreProblems;
  return [
    `${pc.red(pc.bold('NOT PROVEN'))}  ${count === 1 ? 'One problem' : `${number.format(count)} problems`}:`,
    ...shown.map(({ message }) => `  ${pc.red('✗')} ${message}`),
    ...(rest > 0 ? [`  … and ${number.format(rest)} more`] : []),
  ];
}
