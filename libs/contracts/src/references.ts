import type { Condition } from './condition.ts';
import type { FlagDefinition } from './flag.ts';
import type { SegmentDefinition } from './segment.ts';

/** Keys of what a definition asks while it is evaluated; each once, in order of the alphabet. */
export interface References {
  readonly flags: readonly string[];
  readonly segments: readonly string[];
}

type Referring =
  Pick<FlagDefinition, 'prerequisites' | 'rules'> | Pick<SegmentDefinition, 'members' | 'when'>;

/** What a flag or a segment refers to by itself; what those refer to in turn is theirs to say. */
export function referencesOf(definition: Referring): References {
  const isSegment = 'members' in definition;
  const conditions = isSegment ? [definition.when] : definition.rules.map(({ when }) => when);
  return {
    flags: isSegment ? [] : distinct(definition.prerequisites.map(({ flag }) => flag)),
    segments: distinct(conditions.flatMap((each) => (each ? [...segmentsIn(each)] : []))),
  };
}

function* segmentsIn(condition: Condition): Generator<string> {
  if ('segment' in condition) yield condition.segment;
  else if ('not' in condition) yield* segmentsIn(condition.not);
  else if ('all' in condition) for (const each of condition.all) yield* segmentsIn(each);
  else if ('any' in condition) for (const each of condition.any) yield* segmentsIn(each);
}

const distinct = (keys: readonly string[]): string[] => [...new Set(keys)].sort();
