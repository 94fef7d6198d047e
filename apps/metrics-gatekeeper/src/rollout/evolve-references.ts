import type { Fact } from '@tidegate/kernel';
import { beginningAnew, openingAnew, sentAgain } from './evolve-flag.ts';
import type { RolloutMessage } from './message.ts';
import {
  type Existing,
  isLive,
  type Reference,
  type ReferenceName,
  STORE_RESTORED,
} from './state.ts';

type FactOf<T extends RolloutMessage['type']> = Fact<Extract<RolloutMessage, { type: T }>>;

/** What concerns the flags and segments that the rollout's flag refers to. */
export function evolveReferences(rollout: Existing, fact: Fact<RolloutMessage>): Existing {
  switch (fact.type) {
    case 'HoldFlag':
      return fact.data.asReference === true ? asked(rollout, 'flag', fact) : rollout;
    case 'HoldSegment':
      return asked(rollout, 'segment', fact);
    case 'ReleaseFlag':
      return released(rollout, { kind: 'flag', key: fact.data.key });
    case 'ReleaseSegment':
      return released(rollout, { kind: 'segment', key: fact.data.key });
    case 'ReferenceHeld':
      return held(rollout, fact);
    case 'ReferenceRefused': {
      const { code, message } = fact.data;
      return changed(rollout, fact.data, { claim: { status: 'refused', code, message } });
    }
    case 'ReferenceObserved': {
      const { change, by } = fact.data;
      const next =
        change === 'released'
          ? { claim: { status: 'lost', by } as const }
          : { disabled: change === 'disabled' };
      return changed(rollout, fact.data, next);
    }
    case 'RolloutPaused':
      return fact.data.because === STORE_RESTORED ? unclaimed(rollout) : rollout;
    default:
      return rollout;
  }
}

export const isSame = (a: ReferenceName, b: ReferenceName): boolean =>
  a.kind === b.kind && a.key === b.key;

const NOTHING_YET = { disabled: false, refersTo: { flags: [], segments: [] } };

function asked(
  rollout: Existing,
  kind: ReferenceName['kind'],
  fact: FactOf<'HoldFlag' | 'HoldSegment'>,
): Existing {
  const { references = [] } = rollout;
  const name = { kind, key: fact.data.key };
  const known = references.find((each) => isSame(each, name)) ?? { ...name, ...NOTHING_YET };
  const before = 'claim' in known && known.claim.status === 'asked' ? known.claim.sent : undefined;
  const claim = { status: 'asked', sent: sentAgain(before, fact) } as const;
  const others = references.filter((each) => !isSame(each, name));
  return beginningAnew({ ...rollout, references: [...others, { ...known, claim }] });
}

/** Of one that is over it stays on record what its flag referred to. */
const released = (rollout: Existing, name: ReferenceName): Existing =>
  isLive(rollout) && rollout.references
    ? { ...rollout, references: rollout.references.filter((each) => !isSame(each, name)) }
    : rollout;

/** Held at another version than before, somebody moved its users meanwhile: the open stage opens once more. */
function held(rollout: Existing, { data }: FactOf<'ReferenceHeld'>): Existing {
  const { revision, disabled, flags, segments } = data;
  const known = rollout.references?.find((each) => isSame(each, data))?.revision;
  const isUnchanged = known?.epoch === revision?.epoch && known?.version === revision?.version;
  const next = changed(rollout, data, {
    claim: { status: 'held' },
    revision,
    disabled,
    refersTo: { flags, segments },
  });
  return isUnchanged ? next : openingAnew(next);
}

const changed = (rollout: Existing, name: ReferenceName, next: Partial<Reference>): Existing =>
  rollout.references
    ? {
        ...rollout,
        references: rollout.references.map((each) =>
          isSame(each, name) ? { ...each, ...next } : each,
        ),
      }
    : rollout;

/** Who holds them now, and how they are, the rollout asks when it goes on. */
const unclaimed = (rollout: Existing): Existing =>
  rollout.references
    ? {
        ...rollout,
        references: rollout.references.map((each) =>
          each.claim.status === 'refused'
            ? each
            : { ...each, claim: { status: 'lost', by: STORE_RESTORED } },
        ),
      }
    : rollout;
