import { formatDuration } from '@tidegate/kernel';
import pc from 'picocolors';
import { grouped, harmless, toned } from '../output/output.ts';

/** What a bar is drawn of: a run as the runner answers it. */
export interface Going {
  readonly run: string;
  readonly migration: string;
  readonly action: string;
  readonly status: string;
  readonly startedAt: number;
  readonly counts: { readonly matched: number; readonly failed?: number };
  readonly progress?: {
    readonly done: number;
    readonly expected?: number;
    readonly share?: number;
    readonly perSecond?: number;
    readonly leftMs?: number;
  };
  readonly throttled?: { readonly message: string; readonly since: number };
  readonly reverting?: { readonly message: string };
  readonly waitsFor?: { readonly message: string };
  readonly by?: string;
  readonly reason?: string;
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const LONGEST_BAR = 40;
const SHORTEST_BAR = 10;

/** Two or three lines for a terminal of so many columns: what runs, how far it is, and what it waits for. */
export function progressLines(run: Going, at: number, columns: number): string {
  const facts = factsOf(run).join('   ');
  const width = Math.min(LONGEST_BAR, Math.max(SHORTEST_BAR, columns - facts.length - 3));
  const bar = run.progress?.share === undefined ? '' : `${drawn(run.progress.share, width, run)}  `;
  const held = heldBy(run, at);
  return [
    `${pc.bold(run.migration)} ${run.action}  ${statusOf(run)}  ${pc.dim(`${run.run}  ${age(at - run.startedAt)}`)}`,
    ...(bar === '' && facts === '' ? [] : [`${bar}${facts}`]),
    ...(run.reverting
      ? [pc.red(cut(`takes back what it did: ${run.reverting.message}`, columns))]
      : []),
    ...(held === undefined ? [] : [pc.yellow(cut(held, columns))]),
  ].join('\n');
}

/** The same on one line, for a log. */
export const progressLine = (run: Going): string => [run.run, ...factsOf(run)].join('  ');

/** Why nothing is written now, and since when. */
function heldBy(run: Going, at: number): string | undefined {
  const { status, waitsFor, throttled, by = '', reason = '' } = run;
  if (status === 'paused') return `paused by ${by}: ${reason}`;
  if (status !== 'running') return undefined;
  if (waitsFor) return `waits: ${waitsFor.message}`;
  return throttled && `waiting ${age(at - throttled.since)}: ${throttled.message}`;
}

function factsOf({ progress, counts }: Going): readonly string[] {
  if (!progress) return [];
  const { done, expected, share, perSecond, leftMs } = progress;
  return [
    ...(share === undefined ? [] : [`${percent(share)} %`]),
    expected === undefined ? begun(done) : `${grouped(done)} of ${grouped(expected)}`,
    ...(perSecond === undefined ? [] : [`${grouped(Math.round(perSecond))}/s`]),
    ...(leftMs === undefined || share === 1 ? [] : [`${age(leftMs)} left`]),
    ...(counts.failed === undefined || counts.failed === 0
      ? []
      : [`${grouped(counts.failed)} failed`]),
  ];
}

const begun = (done: number): string =>
  done === 0 ? 'counting what there is to do' : `${grouped(done)} done`;

/** Rounded down: 100.0 means all. */
const percent = (share: number): string => (Math.floor(share * 1_000) / 10).toFixed(1);

/** To the second, and never nothing at all. */
const age = (ms: number): string => formatDuration(Math.max(1, Math.round(ms / 1_000)) * 1_000);

function drawn(share: number, width: number, run: Going): string {
  const eighths = Math.floor(share * width * 8);
  const full = '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '');
  return toneOf(run)(full) + pc.dim('░'.repeat(width - full.length));
}

function toneOf({ status, throttled, reverting, waitsFor }: Going): (text: string) => string {
  if (reverting) return pc.red;
  return status === 'paused' || throttled || waitsFor ? pc.yellow : pc.cyan;
}

const statusOf = ({ status, throttled, reverting }: Going): string => {
  if (status === 'running' && reverting) return pc.red('reverting');
  return status === 'running' && throttled ? pc.yellow('throttled') : toned(status);
};

const cut = (text: string, columns: number): string => {
  const line = harmless(text).replaceAll('\n', ' ');
  return line.length <= columns ? line : `${line.slice(0, Math.max(1, columns - 1))}…`;
};
