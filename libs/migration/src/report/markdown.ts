import type { Block, Cell, Page, Section } from './page.ts';
import { grouped } from './words.ts';

const VERDICTS = { go: 'Go', look: 'Look first', 'no-go': 'No go' } as const;
const LEVELS = { stop: '**Stop**', look: '**Look**', note: 'Note' } as const;

/** A report as GitHub's markdown: a pull request, a ticket, an approval. */
export const markdownOf = (page: Page): string =>
  [
    `# ${plain(page.title)}`,
    `**${VERDICTS[page.verdict]}.** ${plain(page.headline)}`,
    ...(page.findings.length === 0
      ? []
      : [
          page.findings
            .map(({ level, message }) => `- ${LEVELS[level]}: ${plain(message)}`)
            .join('\n'),
        ]),
    ...page.sections.map(sectionOf),
  ].join('\n\n') + '\n';

const sectionOf = ({ title, blocks }: Section): string =>
  [`## ${plain(title)}`, ...blocks.map(blockOf)].join('\n\n');

function blockOf(block: Block): string {
  switch (block.kind) {
    case 'facts':
      return block.rows
        .map(([name, value]) => `- ${name === '' ? '' : `${plain(name)}: `}${cell(value)}`)
        .join('\n');
    case 'lines':
      return block.lines.map((line) => `- ${cell(line)}`).join('\n');
    case 'table':
      return tableOf(block);
  }
}

function tableOf({ title, columns, rows, more }: Extract<Block, { kind: 'table' }>): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    ...(title === undefined ? [] : [`**${cell(title)}**`, '']),
    row(columns.map(({ name }) => inTable(plain(name)))),
    row(columns.map(({ align }) => (align === 'right' ? '--:' : '---'))),
    ...rows.map((cells) => row(cells.map((each) => inTable(cell(each))))),
    ...(more > 0 ? ['', `… and ${grouped(more)} more.`] : []),
  ].join('\n');
}

const cell = (value: Cell): string => (typeof value === 'string' ? plain(value) : span(value.code));

/** Text of somebody else's must not become markup; what would be none stays readable. */
const plain = (text: string): string =>
  onOneLine(text).replace(
    /[\\`*[<]|^[#>]|~(?=~)|&(?=#?\w+;)|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g,
    (found) => `\\${found}`,
  );

/** A code span with more backticks around it than there are in it. */
function span(text: string): string {
  if (text === '') return '';
  const runs = text.match(/`+/g) ?? [];
  const fence = '`'.repeat(Math.max(0, ...runs.map(({ length }) => length)) + 1);
  const pad = text.startsWith('`') || text.endsWith('`') ? ' ' : '';
  return `${fence}${pad}${onOneLine(text)}${pad}${fence}`;
}

/** A bar would end the cell, in a code span too. */
const inTable = (text: string): string => text.replaceAll('|', '\\|');

const onOneLine = (text: string): string => text.replace(/[\r\n\u2028\u2029]+/g, ' ⏎ ');
