import { formatDuration } from '@tidegate/kernel';
import pc from 'picocolors';
import { grouped, table } from '../output/output.ts';

/** What a plan can see, as metrics-gatekeeper tells it; what the table needs of it. */
export interface FeasibilityShown {
  readonly plan: string;
  readonly environment: string;
  readonly from: 'stated' | 'measured';
  readonly traffic: Readonly<
    Record<string, { readonly perSecond: number | null; readonly badShare: number | null }>
  >;
  readonly guards: readonly {
    readonly guard: string;
    readonly step: string;
    readonly holdMs: number;
    readonly requests: number | null;
    readonly power: number | null;
    readonly seenAfterMs: number | 'never' | null;
    readonly passesAfterMs: number | 'never' | null;
    readonly sentence: string;
  }[];
  readonly warnings: readonly string[];
}

const duration = (ms: number | 'never' | null): string => {
  if (ms === null) return pc.dim('?');
  return ms === 'never'
    ? pc.red('never')
    : formatDuration(Math.max(1_000, Math.round(ms / 1_000) * 1_000));
};

const later = (ms: number | 'never' | null, holdMs: number): string => {
  const text = duration(ms);
  return typeof ms === 'number' && ms > holdMs ? pc.yellow(text) : text;
};

/** One row a guard and stage, and below what cannot be seen or proven. */
export function feasibilityTable(shown: FeasibilityShown): string {
  const rows = shown.guards.map((each) => [
    each.step,
    each.guard,
    formatDuration(each.holdMs),
    each.requests === null ? pc.dim('?') : grouped(each.requests),
    each.sentence,
    later(each.passesAfterMs, each.holdMs),
  ]);
  return [
    `${pc.bold(shown.plan)} in ${shown.environment}, with ${trafficLine(shown)}`,
    '',
    table(['step', 'guard', 'hold', 'requests', 'sees', 'passes after'], rows, NO_GUARDS),
    '',
    ...(shown.warnings.length === 0
      ? [pc.green('Every guard can see in every stage what the plan wants seen.')]
      : shown.warnings.map((each) => `${pc.yellow('!')} ${each}`)),
  ].join('\n');
}

const NO_GUARDS = 'No guards: nothing would be noticed.';

function trafficLine({ from, traffic }: FeasibilityShown): string {
  const known = Object.entries(traffic).flatMap(([metric, { perSecond, badShare }]) =>
    perSecond === null
      ? []
      : [{ metric, text: `${rounded(perSecond)} requests/s${failing(badShare)}` }],
  );
  const [first] = known;
  if (!first) return 'traffic that is not known';
  const same = known.every(({ text }) => text === first.text);
  const shown = same
    ? first.text
    : known.map(({ metric, text }) => `${metric}: ${text}`).join('; ');
  return `${shown} ${pc.dim(`(${from})`)}`;
}

const failing = (share: number | null): string =>
  share === null ? '' : `, of which ${Number((share * 100).toPrecision(2))} % fail`;
const rounded = (value: number): string =>
  value < 10 ? String(Number(value.toPrecision(2))) : grouped(Math.round(value));
