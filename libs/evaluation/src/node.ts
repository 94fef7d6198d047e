import type { Segment, SegmentRecord } from '@tidegate/contracts';
import type { CompiledFlag, LiveFlag } from './compiled-flag.ts';
import type { Test } from './condition.ts';

export type LiveSegment = SegmentRecord & { readonly segment: Segment };

/** A flag or a segment, and what it is compiled to once it has been needed. */
interface Compilable {
  /** Flags and segments that may have to be asked for one answer, itself among them. */
  cost: number;
  /** Where the trouble began, if it cannot be evaluated. */
  fault: Fault | undefined;
}

export interface Fault {
  readonly sentence: string;
  /** A cycle is the trouble. */
  readonly isCycle: boolean;
}

export class FlagNode implements Compilable {
  readonly record: LiveFlag;
  compiled: CompiledFlag | undefined;
  cost = 1;
  fault: Fault | undefined;

  constructor(record: LiveFlag) {
    this.record = record;
  }
}

export class SegmentNode implements Compilable {
  readonly record: LiveSegment;
  compiled: Test | undefined;
  cost = 1;
  fault: Fault | undefined;

  constructor(record: LiveSegment) {
    this.record = record;
  }
}

export type Node = FlagNode | SegmentNode;

export const isDisabled = (node: Node): boolean =>
  node instanceof FlagNode && node.record.flag.disabled !== undefined;

/** As sentences name it. */
export const nameOf = ({ record }: Node): string =>
  'segment' in record ? `segment ${record.key}` : `flag ${record.key}`;
