import type { Reading } from '@tidegate/metrics-source';
import { countNew } from './count-new.ts';
import type { Lack, MissingKind } from './counters.ts';
import type { Counted, Place } from './place.ts';
import { noRecent, type Recent } from './recent.ts';
import { noSamples, type Samples } from './samples.ts';
import { isRead, readValue } from './value.ts';
import type { Watch } from './watch.ts';
import { noWindows, type Windows } from './windows.ts';

export interface Missing {
  readonly kind: MissingKind;
  /** How many targets lack it. */
  readonly targets: number;
  /** A sentence about the first of them. */
  readonly detail: string;
}

/** What one guard knows in one step: plain JSON of bounded size. */
export interface GuardEvidence {
  /** What to count the next readings from. */
  readonly targets: Readonly<Record<string, Place>>;
  /** Judges `sequential` and `split`: [bad, total] and, compared, the baseline's [bad, total, expected]. */
  readonly windows?: Windows;
  /** Judge `sustained`. */
  readonly samples?: Samples;
  /** Judge `immediate`, of what is counted. */
  readonly recent?: Recent;
  /** Of what is read and not counted: the newest value, and when it was read. */
  readonly read?: { readonly at: number; readonly value: number } | null;
  /** Compared with what was recorded: that, or why it is not known yet. */
  readonly recorded?: Counted | (Lack & { readonly triedAt?: number });
  /** The instant up to which every target has been counted; null before the first successful check. */
  readonly lastSuccessAt: number | null;
  /** What the newest check lacked; null if nothing. */
  readonly missing: Missing | null;
}

/** The step that evidence is of. */
export interface Opening {
  /** When it began, ms since 1970. */
  readonly openedAt: number;
  readonly windowMs: number;
  /** Evidence of the step before: counting goes on from its newest scrape, so that nothing is counted twice or lost. */
  readonly former?: GuardEvidence | undefined;
  /** What was before the rollout is so for all of its steps, and after it. */
  readonly recorded?: GuardEvidence['recorded'] | undefined;
  /** Whether the former step was one of the plan: only then what it has sampled goes on. */
  readonly goesOn?: boolean;
}

const NOT_RECORDED: Lack = {
  kind: 'empty',
  detail: 'what was recorded before the rollout has not been read yet.',
};

export const openEvidence = (
  watch: Watch,
  { openedAt, windowMs, former, recorded = NOT_RECORDED, goesOn = false }: Opening,
): GuardEvidence => ({
  targets: former?.targets ?? {},
  ...kept(watch, openedAt, windowMs, former, goesOn),
  ...(isRead(watch.canary) ? { read: null } : {}),
  ...(watch.recorded ? { recorded } : {}),
  lastSuccessAt: null,
  missing: null,
});

function kept(
  { guard, canary, stepMs, maxGapMs: gapMs }: Watch,
  openedAt: number,
  windowMs: number,
  former: GuardEvidence | undefined,
  goesOn: boolean,
): Pick<GuardEvidence, 'windows' | 'samples' | 'recent'> {
  switch (guard.judge) {
    case 'sequential':
    case 'split':
      return { windows: noWindows(windowMs) };
    case 'sustained': {
      const scale = canary.type === 'rate' ? canary.per : 1;
      const fresh = noSamples({ stepMs, forMs: guard.for, scale, gapMs }, openedAt);
      return { samples: (goesOn ? former?.samples : undefined) ?? fresh };
    }
    case 'immediate': {
      if (isRead(canary)) return {};
      const per = canary.type === 'rate' ? canary.per : null;
      const within = guard.within ?? per;
      if (within === null) return { recent: noRecent(null, gapMs) };
      return { recent: former?.recent ?? noRecent(within, gapMs, (per ?? within) / within) };
    }
  }
}

/** When a step began, and from when on it is counted; undefined: from the scrape before on. */
export interface Began {
  readonly openedAt: number;
  readonly countedFrom?: number | undefined;
}

/** The readings of one check, by target. */
export type Readings = ReadonlyMap<string, Reading>;

/**
 * Counts what is new in the readings of one check. Readings that were counted before change nothing, so it may be
 * told everything twice; a target that is missing or unusable keeps its place, and what it counts meanwhile is
 * counted once it is back.
 * @param readings may hold other targets too
 */
export const advance = (
  evidence: GuardEvidence,
  watch: Watch,
  readings: Readings,
  began: Began,
): GuardEvidence =>
  isRead(watch.canary)
    ? readValue(evidence, watch.canary, watch, readings)
    : countNew(evidence, watch, readings, began);
