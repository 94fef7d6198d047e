import type { Segment } from '@tidegate/contracts';
import { type Rejection, type Revision } from '@tidegate/kernel';
import type { Documents } from '@tidegate/store';
import { environmentUnknown, type Environments } from '../environment/environments.handler.ts';
import type { Users } from '../reference/known.ts';
import type { References } from '../reference/references.handler.ts';
import { segmentUnknown } from './segment-refusals.ts';
import { segmentId, splitSegmentId } from './segments.ts';
import { segmentOf, type StoredSegment } from './stored-segment.ts';

/** A segment as people get it. */
export interface FoundSegment extends Revision {
  readonly environment: string;
  readonly key: string;
  readonly segment: Segment | null;
}

export interface SegmentQueries {
  /** With who refers to it. Refused ENVIRONMENT_UNKNOWN or SEGMENT_UNKNOWN. */
  find(
    environment: string,
    key: string,
  ): Promise<(FoundSegment & { readonly usedBy: Users }) | Rejection>;
  /** In order of key, those after `after`; refused ENVIRONMENT_UNKNOWN. */
  list(
    environment: string,
    page: { after?: string | undefined; limit: number },
  ): Promise<readonly FoundSegment[] | Rejection>;
}

export const foundSegment = (
  environment: string,
  key: string,
  { epoch, version, state }: Revision & { readonly state: StoredSegment },
): FoundSegment => ({ environment, key, version, epoch, segment: segmentOf(state) });

/** Reads the store: what it says is what the next write is checked against. */
export function createSegmentQueries(
  segments: Documents<StoredSegment>,
  environments: Pick<Environments, 'has'>,
  references: References,
): SegmentQueries {
  return {
    async find(environment, key) {
      if (!(await environments.has(environment))) return environmentUnknown(environment);
      const document = await segments.load(segmentId(environment, key));
      if (!document || segmentOf(document.state) === null)
        return segmentUnknown({ environment, key });
      const usedBy = await references.usersOf('segment', environment, key);
      return { ...foundSegment(environment, key, document), usedBy };
    },
    async list(environment, { after = '', limit }) {
      if (!(await environments.has(environment))) return environmentUnknown(environment);
      const page = await segments.list({
        where: { living: true },
        after: segmentId(environment, after),
        limit,
      });
      return page
        .map((document) => ({ document, ...splitSegmentId(document.id) }))
        .filter((found) => found.environment === environment)
        .map(({ document, key }) => foundSegment(environment, key, document));
    },
  };
}
