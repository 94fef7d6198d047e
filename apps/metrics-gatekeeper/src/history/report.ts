import type { Verdict } from '@tidegate/contracts';
import { formatDuration, formatPercentage, type Percentage } from '@tidegate/kernel';
import type { RolloutBody } from '../rollout/rollout-queries.handler.ts';
import type { Entry } from './history.ts';

/** One line of the timeline. */
export interface Line {
  /** ms since 1970 */
  readonly at: number;
  /** ms since the rollout began. */
  readonly sinceMs: number;
  readonly what: string;
  readonly by: string;
}

export interface Report {
  readonly rollout: RolloutBody;
  /** Why it ended, or how it stands, in a sentence. */
  readonly summary: string;
  readonly timeline: readonly Line[];
  /** The verdicts that decided something, as they were published: enough to judge again. */
  readonly evidence: readonly StageVerdict[];
  readonly approvals: readonly {
    readonly step: string;
    readonly by: string;
    readonly at: number;
    readonly reason?: string;
  }[];
  /** From the decision to roll back until the flag was as before, ms; null while there is no such thing to tell. */
  readonly restoredMs: number | null;
}

/** A verdict, and the stage that it is about: empty before the first one, and where somebody else has judged. */
export interface StageVerdict extends Verdict {
  readonly stage: string;
}

type Data = Readonly<Record<string, unknown>>;
const text = (data: Data, field: string): string => {
  const value = data[field];
  return typeof value === 'string' ? value : '';
};

/** Sentences for what a reader of the timeline wants to know; other events are left out. */
const SENTENCES: Readonly<Record<string, (data: Data) => string>> = {
  RolloutStarted: (data) => `started by ${text(data, 'startedBy')}${warnedOf(data)}`,
  FlagClaimed: (data) => `holds ${text(data, 'flag')}`,
  FlagObserved: (data) =>
    `${text(data, 'flag')} was ${text(data, 'change')} by ${text(data, 'by')}: ${text(data, 'reason')}`,
  ReferenceHeld: (data) =>
    `relies on ${text(data, 'kind')} ${text(data, 'key')}${data['disabled'] === true ? ', which is disabled' : ''}`,
  ReferenceRefused: (data) =>
    `cannot rely on ${text(data, 'kind')} ${text(data, 'key')}: ${text(data, 'message')}`,
  ReferenceObserved: (data) =>
    `${text(data, 'kind')} ${text(data, 'key')} was ${text(data, 'change')} by ${text(data, 'by')}: ${text(data, 'reason')}`,
  StepStarted: (data) => `${text(data, 'step')}: begins`,
  StageOpened: (data) => `${text(data, 'step')}: open${opensAt(data)}`,
  StepRefused: (data) =>
    `${text(data, 'step')}: ${text(data, 'command')} was refused (${text(data, 'message')})`,
  MigrationObserved: (data) => `${text(data, 'step')}: ${text(data, 'change')}`,
  ApprovalRequested: (data) => `${text(data, 'step')}: waits for an ${text(data, 'role')}`,
  ApprovalGiven: (data) => `${text(data, 'step')}: approved by ${text(data, 'by')}${because(data)}`,
  StepCompleted: (data) => `${text(data, 'step')}: done${howDone(data)}`,
  RolloutHeld: (data) => `${data['page'] === true ? 'paged' : 'held'}: ${text(data, 'message')}`,
  RolloutPaused: (data) => `paused by ${text(data, 'by')}: ${text(data, 'reason')}`,
  RolloutResumed: (data) => `goes on (${text(data, 'by')}): ${text(data, 'reason')}`,
  DeadlineMissed: (data) =>
    `paged: ${text(data, 'what')} within ${formatDuration(Number(data['deadlineMs']))}`,
  ThresholdBreached: (data) => `breach: ${text(data, 'message')}`,
  RollbackStarted: (data) => `rolls back: ${text(data, 'message')}`,
  RollbackActionDone: (data) => `${text(data, 'action')}: ${text(data, 'outcome')}`,
  RiskLevelReached: (data) => `risk ${text(data, 'level')}: ${text(data, 'message')}`,
  RiskLevelLeft: (data) => `risk below ${text(data, 'level')} again: ${text(data, 'message')}`,
  GuardWouldBreach: (data) => `in shadow, would have rolled back: ${text(data, 'message')}`,
  RecoveryJudged: (data) =>
    `${data['page'] === true ? 'not recovered, paged' : 'recovered'}: ${text(data, 'message')}`,
  RolloutRolledBack: (data) => `rolled back: ${text(data, 'message')}`,
  RolloutFailed: (data) => `rollback incomplete, paged: ${text(data, 'message')}`,
  RolloutAborted: (data) => `aborted by ${text(data, 'by')}: ${text(data, 'reason')}`,
  RolloutCompleted: () => 'completed',
};

/** What happened, in a few words; undefined for what a reader of the timeline can do without. */
export const whatHappened = (type: string, data: object): string | undefined =>
  SENTENCES[type]?.(data as Data);

const opensAt = ({ percentage }: Data): string =>
  typeof percentage === 'number' ? ` at ${formatPercentage(percentage as Percentage)}` : '';

const warnedOf = ({ warnings }: Data): string =>
  Array.isArray(warnings) ? `, warned: ${warnings.join(' ')}` : '';

const because = (data: Data): string => {
  const reason = text(data, 'reason');
  return reason === '' ? '' : `: ${reason}`;
};

function howDone({ coveredMs, promotedBy, atDeadline }: Data): string {
  if (typeof promotedBy === 'string') return `, promoted by ${promotedBy}`;
  if (typeof coveredMs !== 'number') return '';
  const late =
    atDeadline === true ? ', at its deadline with less evidence than its gates ask for' : '';
  return `, watched for ${formatDuration(coveredMs)}${late}`;
}

export function reportOf(rollout: RolloutBody, entries: readonly Entry[]): Report {
  const timeline = entries.flatMap(({ type, at, by, data }) => {
    const what = whatHappened(type, data);
    return what === undefined ? [] : [{ at, sinceMs: at - rollout.startedAt, what, by }];
  });
  return {
    rollout,
    summary: summaryOf(rollout),
    timeline,
    evidence: entries.flatMap(verdictsOf),
    approvals: entries
      .filter(({ type }) => type === 'ApprovalGiven')
      .map(({ at, data }) => ({
        step: text(data, 'step'),
        by: text(data, 'by'),
        at,
        ...(typeof data['reason'] === 'string' ? { reason: data['reason'] } : {}),
      })),
    restoredMs: restoredIn(entries),
  };
}

/** Of the last rollback, if there were several. */
function restoredIn(entries: readonly Entry[]): number | null {
  const began = entries.findLast(({ type }) => type === 'RollbackStarted');
  const done = entries.findLast(
    ({ type, data }) =>
      type === 'RollbackActionDone' &&
      data['action'] === 'restore-flag' &&
      data['outcome'] === 'done',
  );
  return began && done && done.at >= began.at ? done.at - began.at : null;
}

function summaryOf(rollout: RolloutBody): string {
  if ('ended' in rollout) return rollout.ended.message;
  if ('rollback' in rollout) return rollout.rollback.message;
  if ('hold' in rollout) return rollout.hold.message;
  if ('paused' in rollout) return `Paused by ${rollout.paused.by}: ${rollout.paused.reason}`;
  return rollout.step === null ? 'Waits for its flag.' : `At step ${rollout.step}.`;
}

function verdictsOf({ type, data }: Entry): StageVerdict[] {
  if (type === 'StepCompleted') {
    const verdicts = (data['verdicts'] as readonly Verdict[] | undefined) ?? [];
    return verdicts.map((verdict) => ({ stage: text(data, 'step'), ...verdict }));
  }
  if (type === 'RecoveryJudged') {
    const verdicts = (data['verdicts'] as readonly Verdict[] | undefined) ?? [];
    return verdicts.map((verdict) => ({ stage: 'after the rollback', ...verdict }));
  }
  const verdict = data['verdict'] as Verdict | undefined;
  if (type === 'GuardWouldBreach' && verdict) return [{ stage: text(data, 'step'), ...verdict }];
  if (type !== 'ThresholdBreached' || !verdict) return [];
  return [{ stage: text((data['labels'] ?? {}) as Data, 'stage'), ...verdict }];
}

/** The same for people: what happened, when, and the numbers it rests on. */
export function markdownOf(report: Report): string {
  const { rollout, summary, timeline, evidence, approvals, restoredMs } = report;
  const { id, plan, planVersion, planHash, environment, flag, status } = rollout;
  const took = 'ended' in rollout ? rollout.ended.at - rollout.startedAt : undefined;
  return [
    `# ${plan} in ${environment}: ${status}`,
    '',
    summary,
    '',
    ...table(
      ['', ''],
      [
        ['rollout', id],
        ['plan', `${plan}, version ${planVersion} (${planHash})`],
        ['flag', `${flag}${rollout.exposure === null ? '' : ` at ${rollout.exposure}`}`],
        ['started', `${new Date(rollout.startedAt).toISOString()} by ${rollout.startedBy}`],
        ...(took === undefined ? [] : [['took', formatDuration(took)] as const]),
        ...(restoredMs === null
          ? []
          : [
              ['restored', `${formatDuration(restoredMs)} after the rollback was decided`] as const,
            ]),
        ['risk', `${percentOf(1 / rollout.riskLimit)} that a healthy rollout is rolled back`],
        ...approvals.map(
          ({ step, by, reason }) =>
            [`approved: ${step}`, reason === undefined ? by : `${by}: ${reason}`] as const,
        ),
      ],
    ),
    '',
    '## What happened',
    '',
    ...table(
      ['after', 'what'],
      timeline.map(({ sinceMs, what }) => [elapsed(Math.max(0, sinceMs)), what]),
    ),
    '',
    '## Evidence',
    '',
    ...table(
      ['stage', 'guard', 'verdict', 'in numbers'],
      evidence.map(({ stage, guard, outcome, reason, message }) => [
        stage,
        guard,
        `${outcome}: ${reason}`,
        message,
      ]),
    ),
    '',
  ].join('\n');
}

/** Below a minute with tenths of a second: much happens within one. */
const elapsed = (ms: number): string =>
  ms >= 1_000 && ms < 60_000 ? `${(ms / 1_000).toFixed(1)}s` : formatDuration(ms);

const percentOf = (share: number): string => `${Number((share * 100).toPrecision(6))} %`;

/** Cells may hold what people wrote: a line or a bar of theirs must not break the table. */
const cell = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  if (rows.length === 0) return ['Nothing yet.'];
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}
