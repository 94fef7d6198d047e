import pc from 'picocolors';
import { onOneLine, time } from '../output/output.ts';
import type { Difference, Explained, ExplainedDecision } from './explain.ts';
import type { Explanation } from './explanation.ts';

const NAMES: Readonly<Record<string, string>> = {
  StepCompleted: 'left',
  RolloutHeld: 'held',
  ThresholdBreached: 'breached',
  RiskLevelReached: 'risk level reached',
  RiskLevelLeft: 'risk level left',
  GuardWouldBreach: 'would have breached',
  RecoveryJudged: 'recovery judged',
};

/** For people: each decision, and whether its verdicts are what their inputs lead to. */
export function renderExplanation(explanation: Explanation): string {
  const { decisions, problems, isWhole, rollout, from } = explanation;
  return [
    `${pc.bold(rollout)}  ${pc.dim(`from ${from}`)}`,
    ...decisions.flatMap(decisionLines),
    ...problems.map((problem) => `${pc.red('✗')} ${problem}`),
    ...(isWhole
      ? []
      : [pc.yellow('Its beginning is not here: what was decided first is missing.')]),
    '',
    summaryOf(explanation),
  ].join('\n');
}

function decisionLines({ at, type, step, record, verdicts }: ExplainedDecision): readonly string[] {
  const where = [step, record === undefined ? undefined : `record ${record}`].filter(Boolean);
  const head = `${time(at)}  ${NAMES[type] ?? type}  ${pc.dim(where.join(', '))}`.trimEnd();
  return [head, ...verdicts.flatMap(verdictLines)];
}

const toneOf = { pass: pc.dim, hold: pc.yellow, breach: pc.red } as const;

function verdictLines({ verdict, result, differences }: Explained): readonly string[] {
  const { guard, outcome, message, shadow } = verdict;
  const sentence = message.startsWith(`${guard}: `) ? message.slice(guard.length + 2) : message;
  const said = `  ${pc.bold(guard)}${shadow === true ? ' (shadow)' : ''}  ${toneOf[outcome](outcome)}  ${onOneLine(sentence) ?? ''}`;
  return [
    said,
    `    ${[boundary(verdict), resultOf(result, differences)].filter(Boolean).join('   ')}`,
  ];
}

function boundary({ logE, threshold }: Explained['verdict']): string {
  if (logE === null || threshold === null) return '';
  return `E ${times(logE)} of ${times(threshold)}`;
}

/** e^ln, as short as it can be read. */
export function times(ln: number): string {
  const digits = ln / Math.LN10;
  if (Math.abs(digits) >= 6) return `10^${Math.round(digits)}`;
  return String(Number(Math.exp(ln).toPrecision(3)));
}

function resultOf(result: Explained['result'], differences: readonly Difference[]): string {
  if (result === 'same') return pc.green('same');
  if (result === 'not-computable') return pc.yellow('not re-computable: it holds no inputs');
  const found = differences.map(({ what, told, computed }) => {
    return `${what} is ${JSON.stringify(told)}, computed ${JSON.stringify(computed)}`;
  });
  if (result === 'reworded') return pc.green(`same, said otherwise now: ${found.join('; ')}`);
  return pc.red(pc.bold(`DIFFERS: ${found.join('; ')}`));
}

function summaryOf({ counts }: Explanation): string {
  const { same, reworded, differing, notComputable } = counts;
  const all = same + reworded + differing + notComputable;
  if (all === 0) return pc.dim('It has decided nothing on verdicts so far.');
  const parts = [
    `${same + reworded} of ${all} verdicts are the same when they are computed again`,
    ...(differing > 0 ? [pc.red(`${differing} ${differing === 1 ? 'differs' : 'differ'}`)] : []),
    ...(notComputable > 0 ? [`${notComputable} cannot be computed again`] : []),
  ];
  return `${parts.join(', ')}.`;
}
