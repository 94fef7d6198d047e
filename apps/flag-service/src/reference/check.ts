import { type FlagDefinition, referencesOf, type SegmentDefinition } from '@tidegate/contracts';
import { reject, type Rejection } from '@tidegate/kernel';
import type { Ref } from '../flag/flag-refusals.ts';
import { type Known, MAX_REACHED } from './known.ts';

/** Why a flag may not refer to what it refers to. Two writes at once may still slip through: answers then say so. */
export function flagReferences(
  ref: Ref,
  definition: FlagDefinition,
  known: Known,
): Rejection | undefined {
  const { flags, segments } = referencesOf(definition);
  return (
    tooMany('FLAG', ref, known) ??
    cycle('FLAG', ref.key, flags, (key) => known.flags.get(key)?.prerequisites) ??
    prerequisiteUnknown(ref, definition, known) ??
    segmentMissing('FLAG', ref, segments, known)
  );
}

/** Why a segment may not refer to what it refers to. */
export function segmentReferences(
  ref: Ref,
  definition: SegmentDefinition,
  known: Known,
): Rejection | undefined {
  const { segments } = referencesOf(definition);
  return (
    tooMany('SEGMENT', ref, known) ??
    cycle('SEGMENT', ref.key, segments, (key) => known.segments.get(key)) ??
    segmentMissing('SEGMENT', ref, segments, known)
  );
}

type Kind = 'FLAG' | 'SEGMENT';

function tooMany(kind: Kind, { key }: Ref, { flags, segments }: Known): Rejection | undefined {
  const count = flags.size + segments.size;
  if (count <= MAX_REACHED) return undefined;
  return reject(
    `${kind}_REFERENCES_TOO_MANY`,
    `${key} would reach more than ${MAX_REACHED} flags and segments, directly and through others.`,
  );
}

function prerequisiteUnknown(
  { environment }: Ref,
  { prerequisites }: FlagDefinition,
  known: Known,
): Rejection | undefined {
  for (const [index, { flag, variants }] of prerequisites.entries()) {
    const found = known.flags.get(flag);
    if (!found)
      return reject(
        'FLAG_REFERENCE_UNKNOWN',
        `prerequisites.${index}.flag: there is no flag ${flag} in ${environment}.`,
      );
    const missing = variants.find((variant) => !found.variants.includes(variant));
    if (missing !== undefined)
      return reject(
        'FLAG_REFERENCE_UNKNOWN',
        `prerequisites.${index}.variants: flag ${flag} has no variant "${missing}"; expected one of ${found.variants.join(', ')}.`,
      );
  }
  return undefined;
}

function segmentMissing(
  kind: Kind,
  { environment }: Ref,
  segments: readonly string[],
  known: Known,
): Rejection | undefined {
  const missing = segments.filter((key) => !known.segments.has(key));
  if (missing.length === 0) return undefined;
  const named = `${missing.length === 1 ? 'segment' : 'segments'} ${missing.join(', ')}`;
  return reject(`${kind}_REFERENCE_UNKNOWN`, `There is no ${named} in ${environment}.`);
}

/** The way that leads back to where it began, if there is one. */
function cycle(
  kind: Kind,
  start: string,
  first: readonly string[],
  next: (key: string) => readonly string[] | undefined,
): Rejection | undefined {
  const seen = new Set<string>();
  const wayBack = (key: string, way: readonly string[]): readonly string[] | undefined => {
    if (key === start) return [...way, key];
    if (seen.has(key)) return undefined;
    seen.add(key);
    return firstOf(next(key) ?? [], (each) => wayBack(each, [...way, key]));
  };
  const way = firstOf(first, (key) => wayBack(key, [start]));
  const through = kind === 'FLAG' ? 'prerequisites' : 'segments';
  return way && reject(`${kind}_CYCLE`, `The ${through} would go in a circle: ${way.join(' → ')}.`);
}

function firstOf<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
