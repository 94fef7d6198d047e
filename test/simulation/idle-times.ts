import type { OutgoingMessage } from '@tidegate/contracts';
import { type Evidence, orderOf, rolloutOf } from './evidence.ts';

export type Span = readonly [begin: number, end: number];

/** What decides whether the time of an open stage counts. */
interface Standing {
  readonly isPaused: boolean;
  readonly isHeld: boolean;
  /** What the flag refers to and is not held for the rollout, or not yet. */
  readonly lacking: ReadonlySet<string>;
  readonly disabled: ReadonlySet<string>;
}

const TELLING = [
  'RolloutPaused',
  'RolloutResumed',
  'FlagClaimed',
  'FlagObserved',
  'HoldFlag',
  'HoldSegment',
  'ReleaseFlag',
  'ReleaseSegment',
  'ReferenceHeld',
  'ReferenceObserved',
];

/**
 * Times in which no stage of a rollout can be covered: it is paused, or its flag or what that refers to is not held for
 * it, or is disabled. Each begins when it is saved, since nobody can know of it before, and ends when its end is decided.
 */
export function idleTimes(evidence: Evidence, id: string | undefined): readonly Span[] {
  const events = evidence
    .of(...TELLING)
    .filter((each) => rolloutOf(each) === id)
    .toSorted((a, b) => orderOf(a) - orderOf(b));
  const found: Span[] = [];
  let standing: Standing = {
    isPaused: false,
    isHeld: false,
    lacking: new Set(),
    disabled: new Set(),
  };
  let since: number | undefined = -Infinity;
  for (const event of events) {
    standing = after(standing, event);
    const { isPaused, isHeld, lacking, disabled } = standing;
    const isIdle = isPaused || !isHeld || lacking.size > 0 || disabled.size > 0;
    const { id: message, at } = event.metadata;
    if (isIdle) since ??= evidence.world.saved.get(message)?.at ?? at;
    else if (since !== undefined) {
      found.push([since, at]);
      since = undefined;
    }
  }
  return since === undefined ? found : [...found, [since, Infinity]];
}

const having = (set: ReadonlySet<string>, name: string, has: boolean): ReadonlySet<string> => {
  const next = new Set(set);
  if (has) next.add(name);
  else next.delete(name);
  return next;
};

function after(before: Standing, { type, data }: OutgoingMessage): Standing {
  const said = data as Partial<
    Record<'change' | 'kind' | 'key', string> & Record<'disabled' | 'asReference', boolean>
  >;
  const { change, disabled = false } = said;
  const kind = said.kind ?? (type.endsWith('Segment') ? 'segment' : 'flag');
  const name = `${kind} ${said.key}`;
  switch (type) {
    case 'RolloutPaused':
      return { ...before, isPaused: true };
    case 'RolloutResumed':
      return { ...before, isPaused: false };
    case 'FlagClaimed':
      return { ...before, isHeld: true, disabled: having(before.disabled, 'own', disabled) };
    case 'HoldFlag':
      return said.asReference ? { ...before, lacking: having(before.lacking, name, true) } : before;
    case 'HoldSegment':
      return { ...before, lacking: having(before.lacking, name, true) };
    case 'ReleaseFlag':
    case 'ReleaseSegment':
      return {
        ...before,
        lacking: having(before.lacking, name, false),
        disabled: having(before.disabled, name, false),
      };
    case 'ReferenceHeld':
      return {
        ...before,
        lacking: having(before.lacking, name, false),
        disabled: having(before.disabled, name, disabled),
      };
    case 'ReferenceObserved':
      return change === 'released'
        ? { ...before, lacking: having(before.lacking, name, true) }
        : { ...before, disabled: having(before.disabled, name, change === 'disabled') };
    default:
      return change === 'released'
        ? { ...before, isHeld: false }
        : { ...before, disabled: having(before.disabled, 'own', change === 'disabled') };
  }
}
