import type { Segment, SegmentCommand } from '@tidegate/contracts';
import type { Command, Revision } from '@tidegate/kernel';

/** What this service asks of itself after an older backup of the store was put back. */
export interface RecoverSegment extends Command {
  readonly type: 'RecoverSegment';
  readonly data: {
    readonly environment: string;
    readonly key: string;
    /** As the state topic has it; null: deleted. */
    readonly segment: Segment | null;
    /** Of that state. */
    readonly from: Revision;
  };
}

export type AnySegmentCommand = SegmentCommand | RecoverSegment;
