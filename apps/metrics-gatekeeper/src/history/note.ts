import type { Message } from '@tidegate/contracts';

/** A line of the log: `error` where somebody must act now, `warn` where the rollout itself has acted. */
export interface Note {
  readonly level: 'info' | 'warn' | 'error';
  readonly sentence: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const NOTES: Readonly<Record<string, readonly [Note['level'], string]>> = {
  RolloutStarted: ['info', 'a rollout begins'],
  StageOpened: ['info', 'a stage is open'],
  RolloutHeld: ['info', 'a rollout is held'],
  RolloutPaused: ['info', 'a rollout is paused'],
  DeadlineMissed: ['error', 'a rollout waits for too long'],
  RollbackStarted: ['warn', 'a rollout is rolled back'],
  RiskLevelReached: ['warn', 'a risk score has come to a level'],
  GuardWouldBreach: ['info', 'a guard in shadow would have rolled back'],
  RecoveryJudged: ['info', 'a rollback has helped'],
  RolloutRolledBack: ['info', 'a rollback is complete'],
  RolloutFailed: ['error', 'a rollback is incomplete'],
  RolloutAborted: ['info', 'a rollout is aborted'],
  RolloutCompleted: ['info', 'a rollout is completed'],
};
const FIELDS = [
  'rollout',
  'environment',
  'plan',
  'flag',
  'step',
  'guard',
  'level',
  'reason',
  'message',
  'what',
  'by',
];

/** What the log says of an event of a rollout; undefined where it says nothing. */
export function noteOf({ type, data }: Pick<Message, 'type' | 'data'>): Note | undefined {
  const [level, sentence] = NOTES[type] ?? [];
  if (!level || !sentence) return undefined;
  const known = data as Readonly<Record<string, unknown>>;
  const fields = Object.fromEntries(
    FIELDS.flatMap((name) => (known[name] === undefined ? [] : [[name, known[name]] as const])),
  );
  if (type === 'RolloutHeld' && known['page'] === true)
    return { level: 'error', sentence: 'a rollout is held until somebody looks', fields };
  if (type === 'RecoveryJudged' && known['page'] === true)
    return { level: 'error', sentence: 'a rollback has not helped', fields };
  return { level, sentence, fields };
}
