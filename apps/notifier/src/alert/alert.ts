import type { Message } from '@tidegate/contracts';
import { formatDuration, formatPercentage, type Percentage } from '@tidegate/kernel';

export const severities = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof severities)[number];

/** Labels that an alert takes from its message, beside `event` and `severity`. */
const taken = ['environment', 'plan', 'flag', 'rollout', 'migration', 'group'] as const;
/** What routes can match on. */
export type LabelName = 'event' | 'severity' | (typeof taken)[number];

/** Something that people should be told. */
export interface Alert {
  /** What belongs together, e.g. a rollout: one thread in a chat. */
  readonly thread: string;
  readonly title: string;
  readonly text: string;
  readonly severity: Severity;
  /** What routes match on. */
  readonly labels: Readonly<Record<string, string>>;
  /** Equal for repeats of the same thing. */
  readonly fingerprint: string;
}

interface Telling {
  readonly severity: Severity;
  readonly title: string;
  readonly text: string;
  /** Where the same may happen twice and must be told twice. */
  readonly occasion?: string;
  /** Beside those that the message has by their names. */
  readonly labels?: Readonly<Record<string, string>>;
}

type Data = Readonly<Record<string, unknown>>;
const text = (data: Data, field: string): string => {
  const value = data[field];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
};
const where = (data: Data): string => `${text(data, 'plan')} in ${text(data, 'environment')}`;

/** Nobody looked after its rollout, so its rollout tells nobody either. What people disable, they know. */
function closedByItself(data: Data): Telling | undefined {
  const disabled = data['disabled'] as Data;
  if (disabled['by'] !== 'flag-service') return undefined;
  return {
    severity: 'critical',
    title: `${text(data, 'key')} in ${text(data, 'environment')} has closed itself`,
    text: text(disabled, 'reason'),
    occasion: text(disabled, 'at'),
    labels: { flag: text(data, 'key'), rollout: text((data['rollout'] ?? {}) as Data, 'id') },
  };
}

/** One line an event: what is told, how loud. Events that are not here concern nobody at night. */
const tellings: Readonly<Record<string, (data: Data) => Telling | undefined>> = {
  RolloutStarted: (data) => ({
    severity: 'info',
    title: `${where(data)} started`,
    text: `Started by ${text(data, 'startedBy')}.`,
  }),
  StepStarted: (data) =>
    typeof data['percentage'] === 'number'
      ? {
          severity: 'info',
          title: `${where(data)}: ${text(data, 'step')} opens`,
          text: `${text(data, 'flag')} at ${formatPercentage(data['percentage'] as Percentage)}.`,
        }
      : undefined,
  ApprovalRequested: (data) => ({
    severity: 'warning',
    title: `${where(data)} waits for an approval`,
    text: `${text(data, 'step')} needs the role ${text(data, 'role')}.`,
  }),
  /** That the score holds it, RiskLevelReached has told. */
  RolloutHeld: (data) =>
    data['reason'] === 'risk-level'
      ? undefined
      : {
          severity: data['page'] === true ? 'critical' : 'warning',
          title: `${where(data)} holds at ${text(data, 'step')}`,
          text: text(data, 'message'),
        },
  RiskLevelReached: (data) => ({
    severity: data['level'] === 'hold' ? 'critical' : 'warning',
    title:
      data['level'] === 'hold'
        ? `${where(data)} holds at ${text(data, 'step')}: its risk is high`
        : `The risk of ${where(data)} rises at ${text(data, 'step')}`,
    text: text(data, 'message'),
    occasion: text(data, 'score'),
  }),
  GuardWouldBreach: (data) => ({
    severity: 'info',
    title: `${text(data, 'guard')}, in shadow, would have rolled back ${where(data)}`,
    text: text(data, 'message'),
  }),
  RolloutPaused: (data) => ({
    severity: data['because'] === undefined ? 'warning' : 'critical',
    title: `${where(data)} is paused`,
    text: `By ${text(data, 'by')}: ${text(data, 'reason')}`,
  }),
  RollbackStarted: (data) => ({
    severity: 'critical',
    title: `${where(data)} is being rolled back`,
    text: text(data, 'message'),
  }),
  RolloutRolledBack: (data) => ({
    severity: 'warning',
    title: `${where(data)} is rolled back`,
    text: text(data, 'message'),
  }),
  RecoveryJudged: (data) => ({
    severity: data['page'] === true ? 'critical' : 'info',
    title:
      data['page'] === true
        ? `${where(data)} is rolled back, and its metrics are not good again`
        : `${where(data)} is rolled back, and its metrics are good again`,
    text: text(data, 'message'),
  }),
  RolloutFailed: (data) => ({
    severity: 'critical',
    title: `The rollback of ${where(data)} is incomplete`,
    text: text(data, 'message'),
  }),
  RolloutAborted: (data) => ({
    severity: 'warning',
    title: `${where(data)} was aborted`,
    text: `By ${text(data, 'by')}: ${text(data, 'reason')}`,
  }),
  RolloutCompleted: (data) => ({
    severity: 'info',
    title: `${where(data)} is completed`,
    text: `${text(data, 'flag')} is fully open.`,
  }),
  DeadlineMissed: (data) => ({
    severity: 'critical',
    title: `${where(data)}: ${text(data, 'what')}`,
    text: `Nothing happened within ${formatDuration(Number(data['deadlineMs']))}.`,
  }),
  /** A person's own pause is no news to anybody. */
  MigrationPaused: (data) =>
    data['because'] === undefined
      ? undefined
      : {
          severity: 'critical',
          title: `Migration ${text(data, 'migration')} is paused`,
          text: text(data, 'reason'),
        },
  FlagDisabled: closedByItself,
  MigrationFailed: (data) => ({
    severity: 'critical',
    title: `Migration ${text(data, 'migration')} failed`,
    text: text(data, 'message'),
  }),
  MessageDeadLettered: (data) => ({
    severity: 'critical',
    title: `${text(data, 'group')} could not handle a message`,
    text: `${text(data, 'code')}: ${text(data, 'message')}`,
  }),
};

export const toldTypes: readonly string[] = Object.keys(tellings);

/** What to tell about a message; undefined if nobody needs to be told. */
export function alertOf({
  type,
  key,
  data,
}: Pick<Message, 'type' | 'key' | 'data'>): Alert | undefined {
  const fields = data as Data;
  const telling = tellings[type]?.(fields);
  if (!telling) return undefined;
  const { occasion, ...told } = telling;
  const labels: Record<string, string> = {
    event: type,
    severity: told.severity,
    ...telling.labels,
  };
  for (const name of taken) if (typeof fields[name] === 'string') labels[name] = fields[name];
  const detail = ['step', 'guard', 'level', 'reason', 'code', 'what'].map((name) =>
    text(fields, name),
  );
  const identity = [type, key, told.severity, ...detail, ...(occasion ? [occasion] : [])];
  return { ...told, thread: key, labels, fingerprint: identity.join('\u0000') };
}
