import type { ReportFinding } from '@tidegate/contracts';

type Level = ReportFinding['level'];

/** How grave each reason is; the order of the lines is that of the report. */
const LEVELS = {
  // plan
  'nothing-matched': 'stop',
  'documents-fail': 'stop',
  'column-missing': 'stop',
  'documents-too-large': 'stop',
  'documents-skipped': 'look',
  'documents-nearly-too-large': 'look',
  'writers-write-old-form': 'look',
  'invariant-broken-now': 'look',
  'cannot-be-undone': 'look',
  'undone-by-down-only': 'look',
  'no-index': 'look',
  'replica-behind': 'look',
  'disk-short': 'look',
  'locks-waited-for': 'look',
  'preserved-unreadable': 'look',
  'no-index-on-purpose': 'note',
  'nothing-to-do': 'note',
  'writers-not-seen': 'note',
  'rows-left-out': 'note',
  // verify, and what has ended
  stopped: 'stop',
  'still-pending': 'stop',
  'invariant-broken': 'stop',
  'as-before': 'stop',
  'not-verified': 'stop',
  'writers-still-write-old-form': 'stop',
  'schema-missing': 'stop',
  'not-undone': 'look',
  'pending-again': 'look',
  'not-counted': 'look',
  'left-on-purpose': 'look',
  'documents-gone': 'note',
  'edited-since': 'note',
  'checked-a-sample': 'note',
  'not-in-journal': 'note',
  'backup-nearly-full': 'look',
  'way-back-given-up': 'note',
  'switch-next': 'note',
  'switch-back': 'look',
} as const satisfies Record<string, Level>;
export type FindingCode = keyof typeof LEVELS;

const ORDER: readonly Level[] = ['stop', 'look', 'note'];
/** In the order of a report. */
export const findingCodes = Object.keys(LEVELS);

/** A finding if the condition holds; else none. */
export const findingIf = (
  holds: boolean,
  code: FindingCode,
  message: () => string,
): ReportFinding[] => (holds ? [{ level: LEVELS[code], code, message: message() }] : []);

/** Worst first, and what follows from them. */
export function judged(findings: readonly ReportFinding[]) {
  const worstFirst = [...findings].sort(
    (a, b) =>
      ORDER.indexOf(a.level) - ORDER.indexOf(b.level) ||
      findingCodes.indexOf(a.code) - findingCodes.indexOf(b.code),
  );
  const worst = worstFirst[0]?.level ?? 'note';
  const verdict = { stop: 'no-go', look: 'look', note: 'go' } as const;
  return { verdict: verdict[worst], findings: worstFirst };
}

/** Of a run that ended without doing what it was for: the findings that say why. */
export const whyNot = (findings: readonly ReportFinding[]): string | undefined => {
  const stops = findings.filter(({ level }) => level === 'stop').map(({ message }) => message);
  return stops.length === 0 ? undefined : stops.join(' ');
};
