import type { Plan } from '@tidegate/contracts';
import type { Fact } from '@tidegate/kernel';
import { DEADLINE } from './alarm.ts';
import { common, evolveEnd } from './evolve-end.ts';
import { evolveFlag, exposureAfter, sentAgain, STEP_LATE } from './evolve-flag.ts';
import { evolveReferences } from './evolve-references.ts';
import { evolveJudged } from './evolve-judged.ts';
import type { RolloutMessage } from './message.ts';
import { isSameHold } from './same-hold.ts';
import {
  type Existing,
  isCounting,
  isGoing,
  isLive,
  type Phase,
  type Place,
  type Rollout,
  STORE_RESTORED,
  type StepRun,
} from './state.ts';

/** Copies facts. What a fact does not concern stays as it is, also for facts that come late. */
export function evolve(rollout: Rollout, fact: Fact<RolloutMessage>): Rollout {
  if (fact.type === 'RolloutStarted') return started(fact);
  if (rollout.status === 'absent') return rollout;
  const held = evolveJudged(evolveReferences(evolveFlag(rollout, fact), fact), fact);
  const next = evolveEnd(evolveStep(evolveStatus(held, fact), fact), fact);
  const begins = isCounting(next) && !isCounting(rollout);
  return begins ? { ...next, countedFrom: fact.metadata.at } : next;
}

type FactOf<T extends RolloutMessage['type']> = Fact<Extract<RolloutMessage, { type: T }>>;

function started({ data, metadata }: FactOf<'RolloutStarted'>): Rollout {
  return {
    status: 'pending',
    id: data.rollout,
    environment: data.environment,
    plan: data.definition as unknown as Plan,
    version: data.planVersion,
    hash: data.planHash,
    risk: { risk: data.risk, shares: data.shares },
    startedBy: data.startedBy,
    startedAt: metadata.at,
    generation: 1,
    claim: {
      status: 'asked',
      sent: { command: 'HoldFlag', ids: [], at: metadata.at, late: false },
    },
    flagDisabled: false,
    countedFrom: metadata.at,
    breaches: [],
  };
}

/** Pending, running, holding, paused. */
function evolveStatus(rollout: Existing, fact: Fact<RolloutMessage>): Existing {
  const { at } = fact.metadata;
  switch (fact.type) {
    case 'StepStarted': {
      const { index, kind } = fact.data;
      const place = { index, since: at, late: false, attempt: 0 };
      const phase: Phase = { phase: kind === 'approve' ? 'approval' : 'waiting' };
      return { ...common(rollout), status: 'running', position: { ...place, ...phase } };
    }
    case 'ApprovalRequested':
      return heldFor(rollout, 'awaiting-approval', `An ${fact.data.role} must approve.`, at);
    case 'RolloutHeld': {
      const { reason, message, page } = fact.data;
      if (rollout.status === 'paused')
        return { ...rollout, told: { reason, message, since: at, paged: page } };
      const held = heldFor(rollout, reason, message, at);
      return held.status === 'holding' && page
        ? { ...held, hold: { ...held.hold, paged: true } }
        : held;
    }
    case 'RolloutPaused': {
      const { by, reason, because } = fact.data;
      const why = because === undefined ? { by, reason } : { by, reason, because };
      const told = rollout.status === 'holding' && rollout.hold.paged ? rollout.hold : undefined;
      return { ...common(rollout), status: 'paused', ...why, pausedAt: at, told };
    }
    case 'RolloutResumed': {
      const base = common(rollout);
      const { position } = base;
      return position ? { ...base, status: 'running', position } : { ...base, status: 'pending' };
    }
    default:
      return rollout;
  }
}

function heldFor(rollout: Existing, reason: string, message: string, at: number): Existing {
  if (!isGoing(rollout)) return rollout;
  const held = rollout.status === 'holding' ? rollout.hold : undefined;
  const known = isSameHold(held, reason) ? held : null;
  const hold = { reason, message, since: known?.since ?? at, paged: known?.paged ?? false };
  return { ...common(rollout), status: 'holding', position: rollout.position, hold };
}

/** The present step: what was asked, answered and observed. */
function evolveStep(rollout: Existing, fact: Fact<RolloutMessage>): Existing {
  const { position } = rollout;
  if (!isLive(rollout) || !position) return rollout;
  const to = (phase: Phase, more: Partial<Place> = {}): Existing => {
    const { index, since, late, attempt } = position;
    return { ...rollout, position: { ...phase, index, since, late, attempt, ...more } };
  };
  const { at } = fact.metadata;
  switch (fact.type) {
    case 'SetExposure': {
      const sent = sentAgain(position.phase === 'opening' ? position.sent : undefined, fact);
      const exposed = { stage: fact.data.step, at };
      const known = rollout.exposed?.stage === exposed.stage ? rollout.exposed : exposed;
      return { ...to({ phase: 'opening', sent }), exposed: known };
    }
    case 'StageOpened':
      return {
        ...to({ phase: 'open', openedAt: at }),
        exposure: exposureAfter(rollout, position.index),
      };
    case 'ResumeMigration':
    case 'RunMigration': {
      const { run } = fact.data;
      const sent = sentAgain(position.phase === 'asked' ? position.sent : undefined, fact);
      return to({ phase: 'asked', run, sent });
    }
    case 'StepRefused': {
      const { command, code, message } = fact.data;
      if (command === 'HoldFlag')
        return { ...rollout, claim: { status: 'refused', code, message } };
      // A run that cannot be resumed is over: the next one is another.
      const more = command === 'ResumeMigration' ? { attempt: position.attempt + 1 } : {};
      return to({ phase: 'refused', code, message }, more);
    }
    case 'MigrationObserved': {
      const next = to(...observed(fact.data, position));
      return { ...next, runs: runsAfter(rollout.runs, fact.data) };
    }
    case 'RolloutPaused':
      return fact.data.because === STORE_RESTORED ? to(askedBefore(position)) : rollout;
    case 'ApprovalGiven':
      return to({ phase: 'done' });
    case 'RolloutHeld':
      return fact.data.reason === DEADLINE ? to(position, { late: true }) : rollout;
    case 'DeadlineMissed':
      return fact.data.what === STEP_LATE ? to(position, { late: true }) : rollout;
    default:
      return rollout;
  }
}

/** No answer comes any more to what was asked before the backup: once the rollout goes on, it asks anew. */
function askedBefore(position: Phase): Phase {
  switch (position.phase) {
    case 'opening':
      return { phase: 'waiting' };
    case 'asked':
    case 'moving':
      return { phase: 'stopped', run: position.run, reason: STORE_RESTORED };
    default:
      return position;
  }
}

function runsAfter(
  runs: readonly StepRun[] = [],
  { index, run, changed }: FactOf<'MigrationObserved'>['data'],
): readonly StepRun[] {
  const known = runs.find((each) => each.run === run);
  const next = { index, run, changed: changed ?? known?.changed };
  return [...runs.filter((each) => each !== known), next];
}

function observed(
  { change, run, reason = '' }: FactOf<'MigrationObserved'>['data'],
  { attempt }: Place,
): [phase: Phase, more?: Partial<Place>] {
  switch (change) {
    case 'started':
    case 'resumed':
      return [{ phase: 'moving', run }];
    case 'stopped':
      return [{ phase: 'stopped', run, reason }];
    case 'cancelled':
      return [{ phase: 'cancelled', reason }, { attempt: attempt + 1 }];
    case 'completed':
      return [{ phase: 'done' }];
  }
}
