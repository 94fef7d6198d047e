import pc from 'picocolors';
import { table } from '../output/output.ts';
import type { RehearsalShown } from './rehearsal.ts';
import { span } from './span.ts';

export interface InjectionShown {
  readonly injection: string;
  readonly at: number | null;
  readonly firedBy: { readonly guard: string; readonly afterMs: number } | null;
  readonly message: string;
  readonly rehearsal: Pick<RehearsalShown, 'ended' | 'holds'> | null;
}
export interface MutationShown {
  readonly reactions: readonly {
    readonly change: string;
    readonly step: string;
    readonly guard: string;
    readonly firedAfterMs: number | null;
    readonly held: string | null;
  }[];
  readonly silent: readonly { readonly guard: string; readonly advice: string }[];
}

export const injectionTable = (injections: readonly InjectionShown[]): string =>
  table(
    ['injected', 'seen by', 'after', 'and then'],
    injections.map(({ injection, firedBy, message, rehearsal }) => [
      injection,
      firedBy ? firedBy.guard : pc.yellow('nobody'),
      firedBy ? span(firedBy.afterMs) : '',
      firedBy ? 'rolled back' : whatThen(message, rehearsal),
    ]),
    '',
  );

function whatThen(message: string, rehearsal: InjectionShown['rehearsal']): string {
  if (!rehearsal) return message;
  const hold = rehearsal.holds.at(-1);
  const { outcome } = rehearsal.ended;
  return hold && outcome === 'unfinished' ? `held: ${hold.reason}` : outcome;
}

/** Changes down, guards across: after what time each fires. */
export function mutationLines({ reactions, silent }: MutationShown): string {
  const guards = [...new Set(reactions.map(({ guard }) => guard))];
  const changes = [...new Set(reactions.map(({ change }) => change))];
  const rows = changes.map((change) => [
    change,
    ...guards.map((guard) =>
      firedIn(reactions.filter((each) => each.change === change && each.guard === guard)),
    ),
  ]);
  const lines = silent.map(({ guard, advice }) => `${pc.red('✗')} ${guard} never fires: ${advice}`);
  return [
    table(
      ['from the opening of each step on', ...guards],
      rows,
      'No stage or bake was reached: nothing could be tried.',
    ),
    ...(lines.length > 0 ? ['', ...lines] : []),
  ].join('\n');
}

/** How fast over all steps, or in which of them; else why it held, if it did. */
function firedIn(reactions: MutationShown['reactions']): string {
  const fired = reactions.flatMap(({ step, firedAfterMs: ms }) =>
    ms === null ? [] : [{ step, ms }],
  );
  if (fired.length === 0) return pc.dim(reactions.find(({ held }) => held !== null)?.held ?? '–');
  const times = fired.map(({ ms }) => ms);
  const [quickest, slowest] = [span(Math.min(...times)), span(Math.max(...times))];
  const range = quickest === slowest ? quickest : `${quickest} to ${slowest}`;
  if (fired.length === reactions.length) return pc.green(range);
  return `${pc.green(range)} ${pc.dim(`only in ${fired.map(({ step }) => step).join(', ')}`)}`;
}
