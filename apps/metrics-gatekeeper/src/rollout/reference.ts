import { type DraftOf, type ReferenceObserved, referencesOf } from '@tidegate/contracts';
import { settle } from './advance.ts';
import { type Course, emit } from './course.ts';
import { about, holdReference, releaseAll, releaseReference } from './draft.ts';
import { isSame } from './evolve-references.ts';
import type { FlagMessage, SegmentMessage } from './observed.ts';
import { pauseBy } from './person.ts';
import { type Common, isLive, type Live, type Reference, type ReferenceName } from './state.ts';

/** Holds what the flag refers to, as far as that is known, and lets go of what it refers to no longer. */
export function askForReferences(course: Course): Course {
  const { state } = course;
  if (!isLive(state)) return course;
  const { references = [] } = state;
  const wanted = reachedFrom(state);
  const has = (names: readonly ReferenceName[], name: ReferenceName) =>
    names.some((each) => isSame(each, name));
  const reason = `${state.plan.flag} does not refer to it any more`;
  return emit(
    course,
    ...wanted.filter((name) => !has(references, name)).map((name) => holdReference(state, name)),
    ...references
      .filter((each) => !has(wanted, each))
      .map((each) => releaseReference(state, each, reason)),
  );
}

/** What the flag refers to, and what that refers to in turn, as far as it has answered. */
function reachedFrom({ refersTo, references = [] }: Common): readonly ReferenceName[] {
  const reached = refersTo ? namesIn(refersTo) : [];
  // The list grows while it is walked: each name is followed once, also in a circle.
  for (const name of reached) {
    const known = references.find((each) => isSame(each, name));
    for (const next of known ? namesIn(known.refersTo) : [])
      if (!reached.some((each) => isSame(each, next))) reached.push(next);
  }
  return reached;
}

const namesIn = ({ flags, segments }: Reference['refersTo']): ReferenceName[] => [
  ...flags.map((key) => ({ kind: 'flag', key }) as const),
  ...segments.map((key) => ({ kind: 'segment', key }) as const),
];

/** What was said of a flag or a segment that is not the rollout's own: it concerns one that it refers to. */
export function observeReference(
  course: Course,
  rollout: Live,
  message: FlagMessage | SegmentMessage,
): Course {
  const kind = message.type.startsWith('Segment') ? 'segment' : 'flag';
  const name = { kind, key: message.data.key } as const;
  const reference = rollout.references?.find((each) => isSame(each, name));
  if (!reference) return course;
  const isHeld = reference.claim.status === 'held';
  switch (message.type) {
    case 'FlagHeld':
    case 'SegmentHeld':
      return heldFor(course, rollout, reference, message);
    case 'FlagCommandAnswered':
    case 'SegmentCommandAnswered':
      return answered(course, rollout, reference, message.data);
    case 'FlagReleased':
    case 'SegmentReleased': {
      const { rollout: of, rollouts = of ? [of] : [], reason } = message.data;
      if (!isHeld || !rollouts.some(({ id }) => id === rollout.id)) return course;
      return interfered(course, rollout, reference, {
        change: 'released',
        by: message.metadata.actor,
        reason,
      });
    }
    case 'FlagDisabled': {
      if (!isHeld || reference.disabled) return course;
      const { by, reason } = message.data.disabled;
      return interfered(course, rollout, reference, { change: 'disabled', by, reason });
    }
    case 'FlagEnabled': {
      if (!isHeld || !reference.disabled) return course;
      const { reason = 'enabled' } = message.data;
      const by = message.metadata.actor;
      return settle(noticed(course, rollout, reference, { change: 'enabled', by, reason }));
    }
  }
}

type HeldMessage = Extract<FlagMessage | SegmentMessage, { type: 'FlagHeld' | 'SegmentHeld' }>;

/** What it refers to counts as it is now that nobody else can change it, whatever was planned before. */
function heldFor(
  course: Course,
  rollout: Live,
  { kind, key, claim }: Reference,
  { data, metadata }: HeldMessage,
): Course {
  const isOurs = data.rollout.id === rollout.id && data.rollout.generation === rollout.generation;
  if (!isOurs || claim.status !== 'asked') return course;
  const { flags, segments } = referencesOf(data.definition);
  const { revision } = metadata;
  return settle(
    askForReferences(
      emit(course, {
        type: 'ReferenceHeld',
        data: {
          ...about(rollout),
          kind,
          key,
          ...(revision ? { revision } : {}),
          disabled: 'disabled' in data && data.disabled,
          flags: [...flags],
          segments: [...segments],
        },
      }),
    ),
  );
}

type Answer = Extract<
  FlagMessage | SegmentMessage,
  { type: 'FlagCommandAnswered' | 'SegmentCommandAnswered' }
>['data'];

/** A rollout that has not begun has changed nothing: it ends, and lets go of what it has. Later a person decides. */
function answered(
  course: Course,
  rollout: Live,
  reference: Reference,
  { command, outcome, code = '', message = '' }: Answer,
): Course {
  const { kind, key, claim } = reference;
  if (claim.status !== 'asked' || !claim.sent.ids.includes(command.id)) return course;
  if (outcome !== 'refused') return course;
  if (code === 'COMMAND_EXPIRED') return emit(course, holdReference(rollout, reference));
  const data = { ...about(rollout), kind, key, code, message };
  const told = emit(course, { type: 'ReferenceRefused', data });
  if (rollout.position) return settle(told);
  const reason =
    `It could not begin, and nothing was changed: ${rollout.plan.flag} refers to ${kind} ${key} in ` +
    `${rollout.environment}, and flag-service does not let the rollout rely on it. ${code}: ${message}`;
  return emit(
    told,
    { type: 'RolloutAborted', data: { ...about(rollout), by: 'flag-service', reason } },
    ...releaseAll(rollout, reason.slice(0, 2_000)),
  );
}

type Observed = Pick<DraftOf<typeof ReferenceObserved>['data'], 'change' | 'by' | 'reason'>;

const noticed = (course: Course, rollout: Live, { kind, key }: Reference, what: Observed): Course =>
  emit(course, { type: 'ReferenceObserved', data: { ...about(rollout), kind, key, ...what } });

/** As with the flag itself: only a person knows what was meant. */
function interfered(course: Course, rollout: Live, reference: Reference, what: Observed): Course {
  const { kind, key } = reference;
  const reason = `${kind} ${key}, which ${rollout.plan.flag} refers to, was ${what.change}: ${what.reason}`;
  const told = noticed(course, rollout, reference, what);
  return pauseBy(told, { by: what.by, reason: reason.slice(0, 2_000) });
}
