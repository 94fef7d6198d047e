import type { OutgoingMessage } from '@tidegate/contracts';
import { type Evidence, orderOf, rolloutOf } from './evidence.ts';

export type Span = readonly [begin: number, end: number];

/** What decides whether the time of an open stage counts. */
interface Standing {
  readonly isPaused: boolean;
  readonly isHeld: boolean;
  readonly isDisabled: boolean;
}

/**
 * Times in which no stage of a rollout can be covered: it is paused, or its flag is not held for it, or is disabled.
 * Each begins when it is saved, since nobody can know of it before, and ends when its end is decided.
 */
export function idleTimes(evidence: Evidence, id: string | undefined): readonly Span[] {
  const events = evidence
    .of('RolloutPaused', 'RolloutResumed', 'FlagClaimed', 'FlagObserved')
    .filter((each) => rolloutOf(each) === id)
    .toSorted((a, b) => orderOf(a) - orderOf(b));
  const found: Span[] = [];
  let standing: Standing = { isPaused: false, isHeld: false, isDisabled: false };
  let since: number | undefined = -Infinity;
  for (const event of events) {
    standing = after(standing, event);
    const { isPaused, isHeld, isDisabled } = standing;
    const isIdle = isPaused || !isHeld || isDisabled;
    const { id: message, at } = event.metadata;
    if (isIdle) since ??= evidence.world.saved.get(message)?.at ?? at;
    else if (since !== undefined) {
      found.push([since, at]);
      since = undefined;
    }
  }
  return since === undefined ? found : [...found, [since, Infinity]];
}

function after(before: Standing, { type, data }: OutgoingMessage): Standing {
  const { change, disabled = false } = data as { change?: string; disabled?: boolean };
  switch (type) {
    case 'RolloutPaused':
      return { ...before, isPaused: true };
    case 'RolloutResumed':
      return { ...before, isPaused: false };
    case 'FlagClaimed':
      return { ...before, isHeld: true, isDisabled: disabled };
    default:
      return change === 'released'
        ? { ...before, isHeld: false }
        : { ...before, isDisabled: change === 'disabled' };
  }
}
