import type { Fact } from '@tidegate/kernel';
import { type Action, type ActionName, revertedBy, revertName } from './action.ts';
import type { RolloutMessage } from './message.ts';
import {
  breachKey,
  type Common,
  type End,
  type Existing,
  hasToRecover,
  type Rollback,
} from './state.ts';

type FactOf<T extends RolloutMessage['type']> = Fact<Extract<RolloutMessage, { type: T }>>;

/** What every status has, without what belongs to the present one. */
export const common = (rollout: Existing): Common => ({
  id: rollout.id,
  environment: rollout.environment,
  plan: rollout.plan,
  version: rollout.version,
  hash: rollout.hash,
  risk: rollout.risk,
  startedBy: rollout.startedBy,
  startedAt: rollout.startedAt,
  generation: rollout.generation,
  claim: rollout.claim,
  refersTo: rollout.refersTo,
  references: rollout.references,
  before: rollout.before,
  flagDisabled: rollout.flagDisabled,
  exposure: rollout.exposure,
  exposed: rollout.exposed,
  countedFrom: rollout.countedFrom,
  breaches: rollout.breaches,
  position: rollout.position,
  runs: rollout.runs,
  logEs: rollout.logEs,
  levels: rollout.levels,
  wouldHaveBreached: rollout.wouldHaveBreached,
});

/** The rollback and the ends. */
export function evolveEnd(rollout: Existing, fact: Fact<RolloutMessage>): Existing {
  const { at } = fact.metadata;
  switch (fact.type) {
    case 'RollbackStarted':
      return rollingBack(rollout, fact);
    case 'RestoreFlag':
      return withAction(rollout, 'restore-flag', (action) => sent(action, fact));
    case 'PauseMigration':
      return withAction(rollout, 'pause-migration', (action) => sent(action, fact));
    case 'RunMigration': {
      const { migration, run } = fact.data;
      return withAction(rollout, revertName(migration), (action) => ({
        ...sent(action, fact),
        run,
      }));
    }
    case 'MigrationObserved':
      return withRun(rollout, fact.data.run, (action) => observed(action, fact));
    case 'RollbackActionDone': {
      const { action: name, outcome: state, message } = fact.data;
      return withAction(rollout, name, (action) => ({ ...action, state, message }));
    }
    case 'RolloutRolledBack': {
      if (!('rollback' in rollout)) return rollout;
      const recovery = hasToRecover(rollout) ? { recovery: { status: 'awaited' } as const } : {};
      const { rollback } = rollout;
      const end = { ...fact.data, endedAt: at };
      return { ...common(rollout), status: 'rolled-back', rollback, ...endOf(end), ...recovery };
    }
    case 'RecoveryJudged': {
      if (rollout.status !== 'rolled-back') return rollout;
      const { outcome: status, message } = fact.data;
      return { ...rollout, recovery: { status, at, message } };
    }
    case 'RolloutFailed': {
      if (!('rollback' in rollout)) return rollout;
      const { rollback } = rollout;
      const end = { ...fact.data, endedAt: at };
      return { ...common(rollout), status: 'failed', rollback, ...endOf(end) };
    }
    case 'RolloutAborted': {
      const { by, reason } = fact.data;
      return {
        ...common(rollout),
        status: 'aborted',
        by,
        endedAt: at,
        reason: 'aborted',
        message: reason,
      };
    }
    case 'RolloutCompleted': {
      const message = 'Every step of the plan is done.';
      return { ...common(rollout), status: 'completed', endedAt: at, reason: 'completed', message };
    }
    default:
      return rollout;
  }
}

const endOf = ({ reason, message, endedAt }: End): End => ({ endedAt, reason, message });

function rollingBack(rollout: Existing, { data, metadata }: FactOf<'RollbackStarted'>): Existing {
  const { generation, reason, message, by, breach } = data;
  const actions = (data.actions as ActionName[]).map((action): Action => ({
    action,
    state: revertedBy(action) === undefined ? 'sent' : 'waiting',
    ids: [],
  }));
  const rollback: Rollback = { startedAt: metadata.at, reason, message, by, actions };
  const told =
    breach?.fingerprint === undefined || breach.startsAt === undefined
      ? []
      : [breachKey({ fingerprint: breach.fingerprint, startsAt: breach.startsAt })];
  const breaches = [...rollout.breaches, ...told];
  return { ...common(rollout), status: 'rolling-back', generation, breaches, rollback };
}

const observed = (
  { stopped: _over, ...action }: Action,
  { data: { change, reason = '' }, metadata: { at } }: FactOf<'MigrationObserved'>,
): Action => ({
  ...action,
  state: 'under-way',
  ...(change === 'stopped' ? { stopped: { at, reason } } : {}),
});

const sent = (action: Action, { metadata: { id, at } }: Fact): Action => ({
  ...action,
  state: 'sent',
  ids: [...action.ids, id],
  sentAt: at,
});

const withAction = (rollout: Existing, name: string, change: (action: Action) => Action) =>
  withActions(rollout, (action) => (action.action === name ? change(action) : action));
const withRun = (rollout: Existing, run: string, change: (action: Action) => Action) =>
  withActions(rollout, (action) => (action.run === run ? change(action) : action));

function withActions(rollout: Existing, change: (action: Action) => Action): Existing {
  if (rollout.status !== 'rolling-back' && rollout.status !== 'failed') return rollout;
  const actions = rollout.rollback.actions.map(change);
  return { ...rollout, rollback: { ...rollout.rollback, actions } };
}
