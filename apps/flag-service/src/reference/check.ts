import {
  type FlagDefinition,
  referencesOf,
  type SegmentDefinition,
  type ViewRecord,
} from '@tidegate/contracts';
import { cycleOf, problemsOf } from '@tidegate/evaluation';
import { reject, type Rejection } from '@tidegate/kernel';
import type { Ref } from '../flag/flag-refusals.ts';
import { type Known, MAX_REACHED } from './known.ts';

/** Why a flag cannot be evaluated as it is written. Two writes at once may still slip through: answers then say so. */
export function flagReferences(
  ref: Ref,
  definition: FlagDefinition,
  known: Known,
): Rejection | undefined {
  const record = { key: ref.key, ...UNSAVED, flag: { definition, salt: '-' } };
  const { segments } = referencesOf(definition);
  return (
    unusable('FLAG', definition) ??
    tooMany('FLAG', ref, known) ??
    cycle('FLAG', record, known) ??
    prerequisiteUnknown(ref, definition, known) ??
    variantAwaited(ref, definition, known) ??
    segmentMissing('FLAG', ref, segments, known)
  );
}

/** Why a segment cannot be evaluated as it is written. */
export function segmentReferences(
  ref: Ref,
  definition: SegmentDefinition,
  known: Known,
): Rejection | undefined {
  const record = { key: ref.key, ...UNSAVED, segment: { definition } };
  const { segments } = referencesOf(definition);
  return (
    unusable('SEGMENT', definition) ??
    tooMany('SEGMENT', ref, known) ??
    cycle('SEGMENT', record, known) ??
    segmentMissing('SEGMENT', ref, segments, known)
  );
}

type Kind = 'FLAG' | 'SEGMENT';
const UNSAVED = { epoch: 0, version: 0 };

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
    const found = known.flags.get(flag)?.flag?.definition.variants;
    if (!found)
      return reject(
        'FLAG_REFERENCE_UNKNOWN',
        `prerequisites.${index}.flag: there is no flag ${flag} in ${environment}.`,
      );
    const missing = variants.find((variant) => !Object.hasOwn(found, variant));
    if (missing !== undefined)
      return reject(
        'FLAG_REFERENCE_UNKNOWN',
        `prerequisites.${index}.variants: flag ${flag} has no variant "${missing}"; expected one of ${Object.keys(found).join(', ')}.`,
      );
  }
  return undefined;
}

/** Who waits for a variant that is gone would wait for ever, and nobody would notice. */
function variantAwaited(
  { key }: Ref,
  { variants }: FlagDefinition,
  { awaited }: Known,
): Rejection | undefined {
  for (const [variant, flags] of awaited)
    if (!Object.hasOwn(variants, variant))
      return reject(
        'FLAG_VARIANT_IN_USE',
        `variants: ${flags.join(', ')} can only serve while ${key} serves its variant "${variant}". Change that first.`,
      );
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

function cycle(kind: Kind, record: ViewRecord, { flags, segments }: Known): Rejection | undefined {
  const way = cycleOf(record, {
    get: (key) => flags.get(key),
    segment: (key) => segments.get(key),
  });
  const through = kind === 'FLAG' ? 'prerequisites' : 'segments';
  return way && reject(`${kind}_CYCLE`, `The ${through} would go in a circle: ${way.join(' → ')}.`);
}

/** Patterns, ranges and networks that cannot be used: once stored they would only make their condition false. */
function unusable(
  kind: Kind,
  definition: FlagDefinition | SegmentDefinition,
): Rejection | undefined {
  const [first, ...more] = problemsOf(definition).map(({ path, message }) => `${path}: ${message}`);
  return first === undefined ? undefined : reject(`${kind}_INVALID`, [first, ...more].join('; '));
}
