import type { Verdict } from '@tidegate/contracts';
import { formatDuration } from '@tidegate/kernel';
import pc from 'picocolors';
import { grouped, toned } from '../output/output.ts';

/** A rollout as metrics-gatekeeper shows it; what the timeline needs of it. */
export interface RolloutShown {
  readonly id: string;
  readonly plan: string;
  readonly planVersion: number;
  readonly environment: string;
  readonly flag: string;
  readonly status: string;
  readonly phase: string | null;
  readonly step: string | null;
  readonly exposure: string | null;
  readonly startedAt: number;
  readonly startedBy: string;
  /** Flags and segments that the rollout's flag refers to. */
  readonly references?: readonly ReferenceShown[];
  readonly steps: readonly StepShown[];
  readonly guards: readonly Verdict[];
  readonly riskScore: number;
  readonly riskLimit: number;
  readonly riskLevelsReached?: readonly string[];
  /** Guards in shadow that would have rolled it back, as guard@step. */
  readonly wouldHaveBreached?: readonly string[];
  readonly recovery?: {
    readonly status: string;
    readonly at?: number;
    readonly message?: string;
  };
  /** Before an approval: the last dry run. */
  readonly dryRun?: { readonly step: string; readonly run: string };
  readonly hold?: { readonly reason: string; readonly message: string };
  readonly paused?: { readonly by: string; readonly reason: string };
  readonly rollback?: { readonly reason: string; readonly message: string };
  readonly ended?: { readonly at: number; readonly reason: string; readonly message: string };
}
interface ReferenceShown {
  readonly kind: 'flag' | 'segment';
  readonly key: string;
  readonly claim: 'asked' | 'held' | 'refused' | 'lost' | 'released';
  readonly disabled: boolean;
}
interface StepShown {
  readonly name: string;
  readonly kind: string;
  readonly state: 'done' | 'current' | 'ahead';
  readonly percentage?: number;
  readonly holdMs?: number;
  readonly coveredMs?: number;
  readonly role?: string;
}

/** One entry of a rollout's decisions. */
export interface DecisionShown {
  readonly type: string;
  readonly at: number;
  readonly data: Readonly<Record<string, unknown>>;
}

const BAR = 12;
const OVER = new Set(['completed', 'rolled-back', 'failed', 'aborted']);
export const isOver = ({ status }: Pick<RolloutShown, 'status'>): boolean => OVER.has(status);

const bar = (part: number): string => {
  const full = Math.round(Math.min(1, Math.max(0, part)) * BAR);
  return pc.cyan('█'.repeat(full)) + pc.dim('░'.repeat(BAR - full));
};

/** The state of a rollout and of each of its steps, one line each; `now` in ms since 1970. */
export function timeline(
  rollout: RolloutShown,
  decisions: readonly DecisionShown[],
  now: number,
): string {
  const width = Math.max(...rollout.steps.map(({ name }) => name.length));
  const age = formatDuration(Math.max(0, (rollout.ended?.at ?? now) - rollout.startedAt));
  return [
    `${pc.bold(rollout.plan)} → ${rollout.flag} in ${rollout.environment}   ${toned(rollout.status)}  ${pc.dim(age)}`,
    ...referenceLine(rollout),
    ...rollout.steps.flatMap((step) => stepLines(rollout, step, decisions, width)),
    ...whyLines(rollout),
    ...riskLines(rollout),
    ...recoveryLine(rollout),
  ].join('\n');
}

/** What must not change meanwhile, and what of it is not so. */
function referenceLine({ references = [] }: RolloutShown): readonly string[] {
  if (references.length === 0) return [];
  const names = references.map(({ kind, key, claim, disabled }) => {
    const states = [
      claim === 'held' || claim === 'released' ? [] : [claim],
      disabled ? ['disabled'] : [],
    ].flat();
    const name = kind === 'segment' ? `segment ${key}` : key;
    return states.length === 0 ? name : `${name} ${pc.yellow(`(${states.join(', ')})`)}`;
  });
  return [`  ${pc.dim('relies on')} ${names.join(', ')}`];
}

function stepLines(
  rollout: RolloutShown,
  step: StepShown,
  decisions: readonly DecisionShown[],
  width: number,
): readonly string[] {
  const opens = step.percentage === undefined ? step.kind : `${step.percentage / 1_000} %`;
  const columns = `${step.name.padEnd(width)}  ${opens.padEnd(9)}`;
  if (step.state === 'ahead') return [pc.dim(`  · ${columns.trimEnd()}`)];
  if (step.state === 'done') return [`  ${pc.green('✔')} ${columns}  ${doneNote(step, decisions)}`];
  const line = `  ${currentMark(rollout)} ${columns}  ${currentNote(rollout, step)}`;
  return isLive(rollout) && isWatched(step) ? [line, ...guardLines(rollout)] : [line];
}

const isWatched = ({ kind }: StepShown): boolean => kind === 'stage' || kind === 'bake';
const isLive = (rollout: RolloutShown): boolean =>
  !isOver(rollout) && rollout.status !== 'rolling-back';

function currentMark({ status }: RolloutShown): string {
  if (status === 'rolling-back' || status === 'rolled-back' || status === 'failed')
    return pc.red('✘');
  return status === 'running' ? pc.cyan('▸') : pc.yellow('‖');
}

function doneNote(step: StepShown, decisions: readonly DecisionShown[]): string {
  const of = (type: string) =>
    decisions.findLast((each) => each.type === type && each.data['step'] === step.name);
  const completed = of('StepCompleted');
  const started = of('StepStarted');
  const took = completed && started ? formatDuration(completed.at - started.at) : '';
  const verdicts = (completed?.data['verdicts'] ?? []) as readonly Verdict[];
  return `${took.padEnd(6)}  ${allCounts(verdicts)}`.trimEnd();
}

const toRead = ({ dryRun }: RolloutShown): string =>
  dryRun ? `; to read first: tidegate migration report ${dryRun.run}` : '';

function currentNote(rollout: RolloutShown, step: StepShown): string {
  if (step.kind === 'approve') return `waits for an ${step.role ?? 'approver'}${toRead(rollout)}`;
  if (!isWatched(step) || step.holdMs === undefined) return rollout.phase ?? '';
  // Once it is rolled back its guards are asked for something else: whether all is well again.
  if (rollout.recovery) return '';
  if (!isLive(rollout)) return allCounts(rollout.guards);
  const covered = Math.min(step.coveredMs ?? 0, step.holdMs);
  return `${bar(covered / step.holdMs)} ${formatDuration(covered)} of ${formatDuration(step.holdMs)}`;
}

/** What guards have counted; each is named where there are several. Those in shadow have had no part in it. */
function allCounts(verdicts: readonly Verdict[]): string {
  const counted = verdicts.filter((each) => !each.shadow && counts(each) !== '');
  const [only, ...others] = counted;
  if (only === undefined) return '';
  const told = others.length === 0 ? [[only, counts(only)] as const] : counted.map(named);
  return told.map(([{ outcome }, text]) => tone(outcome)(text)).join(', ');
}

const named = (verdict: Verdict) => [verdict, `${verdict.guard} ${counts(verdict)}`] as const;
const tone = (outcome: Verdict['outcome']) => (outcome === 'breach' ? pc.red : pc.dim);

/** In as few words as possible; nothing if it counted nothing worth a word. */
function counts({ reason, evidence }: Verdict): string {
  const { errors, trials, count } = evidence;
  if (errors !== undefined && trials !== undefined)
    return `${grouped(errors)} of ${grouped(trials)} ${reason.startsWith('latency') ? 'too slow' : 'failed'}`;
  return count === undefined || count === 0 ? '' : `${grouped(count)} counted`;
}

const toneOf = { pass: pc.dim, hold: pc.yellow, breach: pc.red } as const;

/** One line a guard, below the stage that it watches. */
function guardLines({ guards }: RolloutShown): readonly string[] {
  const width = Math.max(0, ...guards.map(({ guard }) => guard.length));
  return guards.map(({ guard, outcome, message }) => {
    const sentence = message.startsWith(`${guard}: `) ? message.slice(guard.length + 2) : message;
    return `      ${guard.padEnd(width)}  ${toneOf[outcome](sentence)}`;
  });
}

function whyLines(rollout: RolloutShown): readonly string[] {
  const { hold, paused, rollback, ended } = rollout;
  if (ended) return [`  ${endTone(rollout.status)(ended.message)}`];
  if (rollback) return [`  ${pc.red(rollback.message)}`];
  if (paused) return [`  ${pc.yellow(`paused by ${paused.by}: ${paused.reason}`)}`];
  if (hold) return [`  ${pc.yellow(`holds: ${hold.message}`)}`];
  return [];
}

/** Only where there is something to worry about. */
function riskLines(rollout: RolloutShown): readonly string[] {
  const { riskScore, riskLimit, riskLevelsReached = [], wouldHaveBreached = [] } = rollout;
  const score = Number(riskScore.toPrecision(2));
  return [
    ...(isLive(rollout) && riskLevelsReached.length > 0
      ? [`  ${pc.yellow(`risk ${score}, rolls back at ${Math.round(riskLimit)}`)}`]
      : []),
    ...(wouldHaveBreached.length > 0
      ? [`  ${pc.dim(`in shadow, would have rolled back: ${wouldHaveBreached.join(', ')}`)}`]
      : []),
  ];
}

function recoveryLine({ recovery }: RolloutShown): readonly string[] {
  if (!recovery) return [];
  if (recovery.status === 'awaited')
    return [`  ${pc.dim('watched on: are its metrics good again?')}`];
  const tone = recovery.status === 'recovered' ? pc.green : pc.red;
  return [`  ${tone(`${recovery.status}: ${recovery.message ?? ''}`)}`];
}

const endTone = (status: string) =>
  status === 'completed' ? pc.green : status === 'failed' ? pc.red : pc.yellow;
