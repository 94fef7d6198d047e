import type { Node } from '../tree/merkle.ts';
import type { Chunk } from './chunk.ts';

/** What the projection of the log holds: chunks, and hashes of complete subtrees in base64. */
export type Stored = Chunk | string;

/** Id of the chunks; their version is the position of their first line. */
export const LOG = 'log';

/** Only subtrees of 256, 256², … leaves are stored: one hash for 256 records, and few reads for a proof. */
const LEVELS_PER_TILE = 8;

/** The stored level at or below `level`. */
export const storedLevel = (level: number): number =>
  Math.floor(level / LEVELS_PER_TILE) * LEVELS_PER_TILE;

/** Id of the stored subtrees of one level; their version is their index. */
export const nodesId = (level: number): string => `nodes/${level}`;

export interface StoredNode {
  readonly id: string;
  readonly index: number;
  readonly hash: string;
}

/** Those of the nodes that are stored. */
export const storedNodes = (nodes: readonly Node[]): readonly StoredNode[] =>
  nodes
    .filter(({ level }) => level > 0 && storedLevel(level) === level)
    .map(({ level, index, hash }) => ({
      id: nodesId(level),
      index,
      hash: hash.toString('base64'),
    }));
