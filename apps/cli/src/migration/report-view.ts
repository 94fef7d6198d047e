import type { ReportFinding } from '@tidegate/contracts';
import {
  type Block,
  type Cell,
  grouped,
  type Page,
  type Section,
} from '@tidegate/migration/report';
import pc from 'picocolors';
import { facts, onOneLine, table } from '../output/output.ts';

const VERDICTS = {
  go: pc.green('GO'),
  look: pc.yellow('LOOK FIRST'),
  'no-go': pc.red('NO-GO'),
} as const;
const MARKS: Readonly<Record<ReportFinding['level'], string>> = {
  stop: pc.red('✖'),
  look: pc.yellow('!'),
  note: pc.dim('·'),
};
const WIDEST = 40;
const WIDEST_LAST = 90;

/** A report on a terminal: what must be decided first. */
export const reportView = ({ title, verdict, headline, findings, sections }: Page): string =>
  [
    `${pc.bold(title)}   ${VERDICTS[verdict]}`,
    headline,
    ...(findings.length === 0 ? [] : ['', ...findings.map(findingLine)]),
    ...sections.map(sectionView),
  ].join('\n');

const findingLine = ({ level, message }: ReportFinding): string =>
  `  ${MARKS[level]} ${level === 'note' ? pc.dim(one(message)) : one(message)}`;

const sectionView = ({ title, blocks }: Section): string =>
  ['', pc.bold(title), ...blocks.map((block) => indented(blockView(block)))].join('\n');

function blockView(block: Block): string {
  switch (block.kind) {
    case 'facts':
      return facts(block.rows.map(([name, value]) => [name, text(value)]));
    case 'lines':
      return block.lines.map(text).join('\n');
    case 'table':
      return tableView(block);
  }
}

function tableView({ title, columns, rows, more }: Extract<Block, { kind: 'table' }>): string {
  const drawn = table(
    columns.map(({ name }) => name),
    rows.map((row) => row.map((each, at) => short(text(each), at === row.length - 1))),
    '',
    columns.map(({ align }) => align ?? 'left'),
  );
  return [
    ...(title === undefined ? [] : [pc.cyan(text(title))]),
    drawn,
    ...(more > 0 ? [pc.dim(`… and ${grouped(more)} more`)] : []),
  ].join('\n');
}

const text = (cell: Cell): string => one(typeof cell === 'string' ? cell : cell.code);
const one = (words: string): string => onOneLine(words) ?? '';

/** A column that is wider than this pushes the others from the screen; all of it is in --json. */
function short(words: string, isLast: boolean): string {
  const widest = isLast ? WIDEST_LAST : WIDEST;
  return words.length <= widest ? words : `${words.slice(0, widest - 1)}…`;
}

const indented = (lines: string): string => lines.replace(/^(?=.)/gm, '  ');
