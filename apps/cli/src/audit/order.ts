import type { Segment } from './seal-file.ts';
import type { Problem } from './report.ts';

/** What is wrong with the places of a segment's records. `found`: their positions, in the order of its lines. */
export function orderProblems(
  { from, count, file }: Pick<Segment, 'from' | 'count' | 'file'>,
  found: readonly number[],
): readonly Problem[] {
  const to = from + count;
  const inside = found.filter((position) => position >= from && position < to);
  const present = [...new Set(inside)].sort((a, b) => a - b);
  const problems: Problem[] = [];
  let expected = from;
  for (const position of [...present, to]) {
    if (position > expected) problems.push({ ...missing(expected, position - 1), file });
    expected = position + 1;
  }
  const belong = inside.toSorted((a, b) => a - b);
  for (const [place, position] of inside.entries()) {
    const right = belong[place];
    if (right !== undefined && position !== right)
      problems.push({
        kind: 'record-displaced',
        position,
        file,
        message: displaced(position, right),
      });
  }
  const seen = new Set<number>();
  for (const position of found) {
    if (position < from || position >= to || seen.has(position))
      problems.push({ kind: 'record-displaced', position, file, message: tooMuch(position, file) });
    seen.add(position);
  }
  return problems;
}

export function missing(position: number, to: number): Problem {
  return position === to
    ? { kind: 'record-missing', position, message: `Record ${position} is missing.` }
    : {
        kind: 'record-missing',
        position,
        to,
        message: `Records ${position} to ${to} are missing.`,
      };
}

const displaced = (position: number, right: number): string =>
  `Record ${position} stands where record ${right} belongs.`;
const tooMuch = (position: number, file: string): string =>
  `Record ${position} stands in ${file}, where it has no place.`;
