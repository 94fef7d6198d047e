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
  const { flags, segments } = mentionsOf(definition);
  return { flags: distinct(flags), segments: distinct(segments) };
}

/** The same as often as it is named: so often it may have to be asked. Older senders leave out what they do not know. */
export function mentionsOf(definition: Referring): References {
  if ('members' in definition) return { flags: [], segments: segmentsIn([definition.when]) };
  const { prerequisites, rules } = definition as Partial<typeof definition>;
  return {
    flags: prerequisites?.map(({ flag }) => flag) ?? [],
    segments: segmentsIn(rules?.map(({ when }) => when) ?? []),
  };
}

/** Without recursion: how deep a condition may be is not decided here. */
function segmentsIn(conditions: (Condition | undefined)[]): string[] {
  const found: string[] = [];
  while (conditions.length > 0) {
    const each = conditions.pop();
    if (each === undefined) continue;
    if ('segment' in each) found.push(each.segment);
    else if ('not' in each) conditions.push(each.not);
    else if ('all' in each) conditions.push(...each.all);
    else if ('any' in each) conditions.push(...each.any);
  }
  return found;
}

const distinct = (keys: readonly string[]): string[] => [...new Set(keys)].sort();
