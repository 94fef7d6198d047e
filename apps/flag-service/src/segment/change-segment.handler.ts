import type { Document, Documents, Execute, Outcome } from '@tidegate/store';
import { environmentUnknown, type Environments } from '../environment/environments.handler.ts';
import { telling } from '../flag/change-flag.handler.ts';
import { type Known, NOTHING } from '../reference/known.ts';
import { allIn, type References } from '../reference/references.handler.ts';
import type { AnySegmentCommand } from './recover-segment.ts';
import { segmentDecider, segmentDeciderKnowing, type SegmentDecider } from './segment.ts';
import { segmentId, segmentStateRecord } from './segments.ts';
import type { StoredSegment } from './stored-segment.ts';

export type ChangeSegment = (command: AnySegmentCommand) => Promise<Outcome<StoredSegment>>;

export interface ChangeSegmentParts {
  readonly execute: Execute;
  readonly segments: Documents<StoredSegment>;
  readonly environments: Pick<Environments, 'has'>;
  readonly references: References;
  /** Told of each document as soon as it is saved, before the bus is. */
  readonly saved: (document: Document<StoredSegment>) => void;
}

/** The one way a segment changes. */
export function createChangeSegment(parts: ChangeSegmentParts): ChangeSegment {
  const { execute, environments, segments } = parts;
  const documents = telling(segments, parts.saved);
  return async (command) => {
    const { environment, key } = command.data;
    const decider = (await environments.has(environment))
      ? segmentDeciderKnowing(await knownFor(parts, command))
      : nowhere;
    const aggregate = { documents, decider, stateRecord: segmentStateRecord };
    return execute(aggregate, segmentId(environment, key), command);
  };
}

async function knownFor(
  { references, segments }: ChangeSegmentParts,
  { type, data }: AnySegmentCommand,
): Promise<Known> {
  const { environment, key } = data;
  if (type === 'DeleteSegment')
    return { ...NOTHING, users: await references.usersOf('segment', environment, key) };
  if (type !== 'PutSegment') return NOTHING;
  const isNew = (await segments.load(segmentId(environment, key)))?.state.status !== 'present';
  return {
    ...NOTHING,
    segments: await references.segments(environment, data.definition),
    count: isNew ? (await allIn(segments, environment, { living: true })).length : 0,
  };
}

/** A refusal is answered and remembered like any other. */
const nowhere: SegmentDecider = {
  ...segmentDecider,
  decide: ({ data }) => environmentUnknown(data.environment),
};
