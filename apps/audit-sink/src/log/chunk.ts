import { partitionKey } from '../record/cursor.ts';
import { leafOf, recordOf } from '../record/line.ts';
import { append, type Node } from '../tree/merkle.ts';
import type { LogState } from './log.ts';

/**
 * One entry of the stored log: the lines from position `from` on. The entry's key and version are that
 * position, so of two writers that both believe to be the one, the first wins and the other is told.
 */
export interface Chunk {
  readonly from: number;
  readonly lines: readonly string[];
  /** The state before this chunk, now and then: a start reads back to the newest one. */
  readonly checkpoint?: Checkpoint;
}

interface Checkpoint {
  /** Hexadecimal, the largest subtree first. */
  readonly peaks: readonly string[];
  /** Topic and partition, incarnation, next offset. */
  readonly cursors: readonly (readonly [string, number, string])[];
  readonly firstAt?: number;
  readonly lastAt?: number;
}

export function checkpointOf({ frontier, cursors, ...times }: LogState): Checkpoint {
  return {
    peaks: frontier.peaks.map((peak) => peak.toString('hex')),
    cursors: [...cursors].map(([key, { incarnation, next }]) => [key, incarnation, String(next)]),
    ...times,
  };
}

export function stateAt(from: number, { peaks, cursors, ...times }: Checkpoint): LogState {
  return {
    frontier: { size: from, peaks: peaks.map((peak) => Buffer.from(peak, 'hex')) },
    cursors: new Map(
      cursors.map(([key, incarnation, next]) => [key, { incarnation, next: BigInt(next) }]),
    ),
    ...times,
  };
}

/** The state after a stored line. */
export function replay(before: LogState, line: string, onNode: (node: Node) => void): LogState {
  const { origin, kind, recordedAt } = recordOf(line).manifest;
  const frontier = append(before.frontier, leafOf(line), onNode);
  if (kind === 'gap') return { ...before, frontier };
  const { incarnation, offset } = origin;
  return {
    frontier,
    cursors: new Map(before.cursors).set(partitionKey(origin), {
      incarnation,
      next: BigInt(offset) + 1n,
    }),
    firstAt: Math.min(before.firstAt ?? recordedAt, recordedAt),
    lastAt: Math.max(before.lastAt ?? recordedAt, recordedAt),
  };
}
