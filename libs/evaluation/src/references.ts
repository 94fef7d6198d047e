import {
  type FlagRecord,
  mentionsOf,
  type References,
  segmentStateKey,
  type SegmentRecord,
  type ViewRecord,
} from '@tidegate/contracts';

/** Flags and segments in one space of names: no flag has a slash in its key. */
export const idOf = (record: ViewRecord): string =>
  isSegment(record) ? segmentStateKey(record.key) : record.key;

export const isSegment = (record: ViewRecord): record is SegmentRecord => 'segment' in record;

const NOTHING: References = { flags: [], segments: [] };
function mentionedBy(record: ViewRecord): References {
  const definition = (isSegment(record) ? record.segment : record.flag)?.definition;
  return definition === undefined ? NOTHING : mentionsOf(definition);
}

/** Ids of what the record refers to, as often as it does. */
export function idsMentionedBy(record: ViewRecord): readonly string[] {
  const { flags, segments } = mentionedBy(record);
  return segments.length === 0 ? flags : [...flags, ...segments.map(segmentStateKey)];
}

/** Who holds the records, as `FlagView` does. */
export interface Records {
  get(key: string): FlagRecord | undefined;
  segment(key: string): SegmentRecord | undefined;
}

/**
 * Keys from the record back to itself, e.g. [a, b, a], if among the records held it would close a cycle of prerequisites
 * or segments; for refusing it before it is stored.
 */
export function cycleOf(record: ViewRecord, held: Records): readonly string[] | undefined {
  const kind = isSegment(record) ? 'segments' : 'flags';
  const cameFrom = new Map<string, string>();
  const left: ViewRecord[] = [record];
  for (let each = left.pop(); each !== undefined; each = left.pop())
    for (const key of mentionedBy(each)[kind]) {
      if (key === record.key) return [...pathTo(each.key, record.key, cameFrom), key];
      if (cameFrom.has(key)) continue;
      cameFrom.set(key, each.key);
      const next = kind === 'segments' ? held.segment(key) : held.get(key);
      if (next) left.push(next);
    }
  return undefined;
}

function pathTo(key: string, start: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const path: string[] = [];
  for (let at: string | undefined = key; at !== undefined && at !== start; at = cameFrom.get(at))
    path.unshift(at);
  return [start, ...path];
}
