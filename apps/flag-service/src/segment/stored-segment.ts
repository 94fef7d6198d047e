import type { Segment, SegmentDefinition } from '@tidegate/contracts';

export interface LivingSegment {
  readonly status: 'present';
  /** Counts the changes, as the document does: here, so that the rules can check what a writer expects. */
  readonly version: number;
  readonly definition: SegmentDefinition;
  /** Rollouts that rely on it, in order of their ids. */
  readonly reliedOn?: NonNullable<Segment['reliedOn']>;
}

export type StoredSegment =
  | { readonly status: 'absent'; readonly version: 0 }
  | LivingSegment
  | { readonly status: 'deleted'; readonly version: number };

export const isPresent = (segment: StoredSegment): segment is LivingSegment =>
  segment.status === 'present';

/** The segment as views hold it; null when there is none. */
export const segmentOf = (segment: StoredSegment): Segment | null =>
  isPresent(segment)
    ? {
        definition: segment.definition,
        ...(segment.reliedOn ? { reliedOn: [...segment.reliedOn] } : {}),
      }
    : null;

/** The other way round: what a fact says the segment is from now on. */
export const storedSegment = (
  { definition, reliedOn = [] }: Segment,
  version: number,
): LivingSegment => ({
  status: 'present',
  version,
  definition,
  ...(reliedOn.length > 0 ? { reliedOn } : {}),
});
