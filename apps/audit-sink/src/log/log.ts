import type { RawRecord } from '@tidegate/bus';
import { type Cursor, partitionKey, standingOf } from '../record/cursor.ts';
import type { Line } from '../record/line.ts';
import { gapLine, messageLine, originOf } from '../record/record.ts';
import { append, emptyFrontier, type Frontier, type Node } from '../tree/merkle.ts';

/** All that must be known of the log to append to it and to seal it. */
export interface LogState {
  readonly frontier: Frontier;
  /** By topic and partition. */
  readonly cursors: ReadonlyMap<string, Cursor>;
  /** Earliest and latest `recordedAt`. */
  readonly firstAt?: number;
  readonly lastAt?: number;
}

export const emptyLog: LogState = { frontier: emptyFrontier, cursors: new Map() };

/** What some records add to the log. */
export interface Extension {
  readonly state: LogState;
  readonly lines: readonly string[];
  readonly gaps: number;
  /** Subtrees that are complete now. */
  readonly nodes: readonly Node[];
}

/** Adds what is not in the log yet, in the order given, and a gap before each record that others are missing before. */
export function extend(
  before: LogState,
  records: readonly RawRecord[],
  newSalt: () => string,
): Extension {
  let { frontier, firstAt = Infinity, lastAt = -Infinity } = before;
  const cursors = new Map(before.cursors);
  const nodes: Node[] = [];
  const lines: string[] = [];
  let gaps = 0;
  const add = ({ leaf, text }: Line) => {
    frontier = append(frontier, leaf, (node) => nodes.push(node));
    lines.push(text);
  };
  for (const raw of records) {
    const { origin, recordedAt } = raw;
    const partition = partitionKey(origin);
    const standing = standingOf(cursors.get(partition), origin);
    if (standing.status === 'known') continue;
    if (standing.status === 'after-gap') {
      const first = originOf({ ...origin, ...standing.from });
      add(gapLine(first, standing.missing, raw, frontier.size));
      gaps += 1;
    }
    add(messageLine(raw, { position: frontier.size, salt: newSalt() }));
    cursors.set(partition, { incarnation: origin.incarnation, next: origin.offset + 1n });
    firstAt = Math.min(firstAt, recordedAt);
    lastAt = Math.max(lastAt, recordedAt);
  }
  const times = lastAt < firstAt ? {} : { firstAt, lastAt };
  return { state: { frontier, cursors, ...times }, lines, gaps, nodes };
}

const MOST_RECORDS = 1_000;
const MOST_BYTES = 500_000;

/**
 * Cuts records into runs that fit into one entry of the store, of one record at least. Text that must be
 * escaped twice grows up to sevenfold, and the store takes 8 MiB.
 */
export function runsOf(records: readonly RawRecord[]): readonly (readonly RawRecord[])[] {
  const runs: RawRecord[][] = [];
  let bytes = Infinity;
  for (const raw of records) {
    const size = lengthOf(raw.record);
    const last = runs.at(-1);
    if (last && last.length < MOST_RECORDS && bytes + size <= MOST_BYTES) {
      last.push(raw);
      bytes += size;
    } else {
      runs.push([raw]);
      bytes = size;
    }
  }
  return runs;
}

const lengthOf = ({ key, headers, value }: RawRecord['record']): number =>
  Object.entries(headers).reduce(
    (sum, [name, text]) => sum + name.length + text.length,
    (key?.length ?? 0) + (value?.length ?? 0),
  );
