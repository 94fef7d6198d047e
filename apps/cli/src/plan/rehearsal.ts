import { formatDuration } from '@tidegate/kernel';
import pc from 'picocolors';
import { facts, table, time, toned } from '../output/output.ts';
import {
  type InjectionShown,
  injectionTable,
  mutationLines,
  type MutationShown,
} from './injected.ts';
import { pressure } from './pressure.ts';
import { after, span } from './span.ts';

/** A rehearsal as metrics-gatekeeper tells it; what the report needs of it. */
export interface RehearsalShown {
  readonly plan: string;
  readonly environment: string;
  readonly flag: string;
  readonly from: number;
  readonly until: number;
  readonly checks: number;
  readonly checkEvery: number;
  readonly ended: {
    readonly outcome: string;
    readonly at: number;
    readonly afterMs: number;
    readonly reason: string;
    readonly message: string;
  };
  readonly steps: readonly {
    readonly step: string;
    readonly kind: string;
    readonly percentage?: number;
    readonly beganAt: number | null;
    readonly endedAt: number | null;
    readonly coveredMs?: number;
    readonly holdMs?: number;
  }[];
  readonly events: readonly { readonly afterMs: number; readonly what: string }[];
  readonly holds: readonly {
    readonly from: number;
    readonly until: number;
    readonly reason: string;
    readonly message: string;
    readonly paged: boolean;
  }[];
  readonly guards: readonly GuardShown[];
  readonly assumed: readonly string[];
  readonly injections?: readonly InjectionShown[];
  readonly mutation?: MutationShown | null;
}
export interface GuardShown {
  readonly guard: string;
  readonly judge: string;
  readonly shadow: boolean;
  readonly fired: { readonly stage: string; readonly afterMs: number } | null;
  readonly verdict: { readonly outcome: string; readonly message: string } | null;
  readonly evidence: readonly {
    readonly outcome: string;
    readonly value: number | null;
    readonly boundary: number | null;
  }[];
}
/** The whole report: how it ended, step by step, what each guard went by, and what injections led to. */
export function rehearsalReport(shown: RehearsalShown): string {
  const parts = [
    heading(shown),
    section('steps', stepTable(shown)),
    section('what happened', eventLines(shown)),
    ...(shown.holds.length > 0 ? [section('held', holdLines(shown))] : []),
    section(`guards   ${pc.dim('▁ far from a breach   █ at it')}`, guardLines(shown)),
    ...((shown.injections ?? []).length > 0
      ? [section('injected', injectionTable(shown.injections ?? []))]
      : []),
    ...(shown.mutation
      ? [section('what makes each guard fire', mutationLines(shown.mutation))]
      : []),
    pc.dim(shown.assumed.map((each) => `  ${each}`).join('\n')),
  ];
  return parts.join('\n\n');
}

const section = (title: string, text: string): string =>
  `${pc.bold(title)}\n${text.replaceAll(/^(?=.)/gm, '  ')}`;

function heading({ plan, flag, environment, ended, ...shown }: RehearsalShown): string {
  const end = ended.outcome === 'unfinished' ? pc.yellow('not finished') : toned(ended.outcome);
  return [
    `${pc.bold(plan)} → ${flag} in ${environment}, rehearsed   ${end}  ${pc.dim(`after ${formatDuration(ended.afterMs)}`)}`,
    `  ${ended.message}`,
    '',
    facts([
      ['data', `${span(shown.until - shown.from)}${whenOf(shown)}`],
      ['checked', `${shown.checks} times, every ${formatDuration(shown.checkEvery)}`],
    ]).replaceAll(/^/gm, '  '),
  ].join('\n');
}

/** Data without times of their own begin with 1970. */
const whenOf = ({ from, until }: Pick<RehearsalShown, 'from' | 'until'>): string =>
  from < YEAR_MS ? '' : `, ${time(from)} to ${time(until)}`;
const YEAR_MS = 31_536_000_000;

const stepTable = ({ steps, from, ended }: RehearsalShown): string =>
  table(
    ['', 'step', 'opens', 'began', 'left', 'watched'],
    steps.map(({ step, kind, percentage, beganAt, endedAt, coveredMs, holdMs }) => [
      endedAt !== null
        ? pc.green('✔')
        : beganAt === null
          ? pc.dim('·')
          : stoppedMark(ended.outcome),
      beganAt === null ? pc.dim(step) : step,
      percentage === undefined ? pc.dim(kind) : `${percentage / 1_000} %`,
      beganAt === null ? '' : after(beganAt - from),
      endedAt === null ? '' : after(endedAt - from),
      coveredMs === undefined || holdMs === undefined
        ? ''
        : `${formatDuration(coveredMs)} of ${formatDuration(holdMs)}`,
    ]),
    'The plan has no steps.',
  );

const stoppedMark = (outcome: string): string =>
  outcome === 'unfinished' ? pc.yellow('‖') : pc.red('✘');

function eventLines({ events }: RehearsalShown): string {
  const width = Math.max(0, ...events.map(({ afterMs }) => after(afterMs).length));
  return events
    .map(({ afterMs, what }, index) => {
      const when = events[index - 1]?.afterMs === afterMs ? '' : after(afterMs);
      return `${pc.dim(when.padStart(width))}  ${what}`;
    })
    .join('\n');
}

const holdLines = ({ holds, from }: RehearsalShown): string =>
  holds
    .map((hold) => {
      const span = `${after(hold.from - from)} for ${formatDuration(hold.until - hold.from)}`;
      const paged = hold.paged ? pc.red('  a person would have been called') : '';
      return `${pc.yellow(hold.reason)}  ${pc.dim(span)}${paged}\n  ${hold.message}`;
    })
    .join('\n');

/** One guard is two lines: how near it came to a breach over time, and what it says in the end. */
function guardLines({ guards }: RehearsalShown): string {
  if (guards.length === 0) return pc.dim('No guards: nothing would have been noticed.');
  const width = Math.max(...guards.map(({ guard }) => guard.length));
  return guards
    .map((each) => {
      const { guard, judge, shadow, fired, verdict } = each;
      const kind = pc.dim(shadow ? `${judge}, in shadow` : judge);
      const breach = fired
        ? pc.red(`breach in ${fired.stage}, ${span(fired.afterMs)} after it opened`)
        : pc.dim('no breach');
      const said = withoutName(verdict?.message ?? 'never judged', guard);
      return `${guard.padEnd(width)}  ${pressure(each.evidence)}  ${kind}  ${breach}\n${' '.repeat(width)}  ${pc.dim(said)}`;
    })
    .join('\n');
}

const withoutName = (message: string, guard: string): string =>
  message.startsWith(`${guard}: `) ? message.slice(guard.length + 2) : message;
