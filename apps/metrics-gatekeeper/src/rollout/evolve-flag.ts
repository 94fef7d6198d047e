import { isWatchedStep, referencesOf } from '@tidegate/contracts';
import { canonicalJson, type Fact } from '@tidegate/kernel';
import type { RolloutMessage } from './message.ts';
import {
  breachKey,
  type Claim,
  type Common,
  type Existing,
  isLive,
  type Place,
  type Reference,
  type Sent,
  stageUpTo,
  STORE_RESTORED,
} from './state.ts';

/** `what` of a DeadlineMissed that is about the step itself, not about an answer. */
export const STEP_LATE = 'the step has not ended';
const REMEMBERED = 64;

/** What concerns the flag and who holds it. */
export function evolveFlag(rollout: Existing, fact: Fact<RolloutMessage>): Existing {
  switch (fact.type) {
    case 'HoldFlag':
      if (fact.data.asReference === true) return rollout;
      return beginningAnew({
        ...rollout,
        claim: { status: 'asked', sent: sentAgain(asked(rollout), fact) },
      });
    case 'FlagClaimed': {
      const { definition, disabled } = fact.data;
      const before = rollout.before ?? definition;
      const { exposure } = definition;
      const claim = { status: 'held' } as const;
      const refersTo = referencesOf(definition);
      const next = { ...rollout, claim, before, exposure, refersTo, flagDisabled: disabled };
      const refers = canonicalJson(refersTo) !== canonicalJson(rollout.refersTo ?? refersTo);
      return refers ? openingAnew(next) : movedMeanwhile(next);
    }
    case 'FlagObserved':
      if (fact.data.change === 'released')
        return { ...rollout, claim: { status: 'lost', by: fact.data.by } };
      return { ...rollout, flagDisabled: fact.data.change === 'disabled' };
    case 'RolloutPaused':
      return fact.data.because === STORE_RESTORED ? unclaimed(rollout) : rollout;
    case 'DeadlineMissed':
      return fact.data.what === STEP_LATE ? rollout : answerLate(rollout);
    case 'ThresholdBreached':
      return remember(rollout, breachKey(fact.data));
    default:
      return rollout;
  }
}

/** Who holds the flag now, and how it is, the rollout asks when it goes on. */
const unclaimed = (rollout: Existing): Existing =>
  rollout.claim.status === 'refused'
    ? rollout
    : { ...rollout, claim: { status: 'lost', by: STORE_RESTORED } };

const asked = ({ claim }: Common): Sent | undefined =>
  claim.status === 'asked' ? claim.sent : undefined;

export const sentAgain = (sent: Sent | undefined, { type, metadata }: Fact): Sent => ({
  command: type,
  ids: [...(sent?.ids ?? []), metadata.id].slice(-16),
  at: metadata.at,
  late: false,
});

const late = (claim: Extract<Claim, { status: 'asked' }>): Claim => ({
  ...claim,
  sent: { ...claim.sent, late: true },
});
const isPunctual = ({ claim }: Reference): boolean => claim.status === 'asked' && !claim.sent.late;
const lateReference = (each: Reference): Reference =>
  each.claim.status === 'asked' ? { ...each, claim: late(each.claim) } : each;

function answerLate(rollout: Existing): Existing {
  const { claim, references = [], position } = rollout;
  if (claim.status === 'asked') return { ...rollout, claim: late(claim) };
  if (references.some(isPunctual)) return { ...rollout, references: references.map(lateReference) };
  if (!isLive(rollout) || !position || !('sent' in position)) return rollout;
  return { ...rollout, position: { ...position, sent: { ...position.sent, late: true } } };
}

const remember = (rollout: Existing, breach: string): Existing => ({
  ...rollout,
  breaches: [...rollout.breaches, breach].slice(-REMEMBERED),
});

/** The flag is asked for again: what was refused or cancelled meanwhile begins anew once it is held. */
export const beginningAnew = (rollout: Existing): Existing =>
  rollout.position?.phase === 'refused' || rollout.position?.phase === 'cancelled'
    ? waiting(rollout, rollout.position)
    : rollout;

/** Somebody moved users while the flag was not held: the open stage has to open once more, behind a check. */
function movedMeanwhile(rollout: Existing): Existing {
  const { position, exposure } = rollout;
  if (position?.phase !== 'open') return rollout;
  const wanted = exposureAfter(rollout, position.index);
  const isAsWanted =
    wanted?.percentage === exposure?.percentage && wanted?.variant === exposure?.variant;
  return isAsWanted ? rollout : waiting(rollout, position);
}

/** The same, where what the flag refers to is not what it was. */
export const openingAnew = (rollout: Existing): Existing =>
  rollout.position?.phase === 'open' ? waiting(rollout, rollout.position) : rollout;

const waiting = (rollout: Existing, { index, since, late, attempt }: Place): Existing =>
  isLive(rollout)
    ? { ...rollout, position: { phase: 'waiting', index, since, late, attempt } }
    : rollout;

export function exposureAfter({ plan, exposure }: Common, index: number): Common['exposure'] {
  const step = plan.steps[index];
  if (!exposure || !step || !isWatchedStep(step)) return exposure;
  const stage = stageUpTo(plan, index);
  const { variant = exposure.variant, percentage = exposure.percentage } = stage ?? {};
  return { variant, percentage };
}
