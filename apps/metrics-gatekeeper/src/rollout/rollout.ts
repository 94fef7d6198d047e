import type { ThresholdBreached } from '@tidegate/contracts';
import { stepKind, stepName } from '@tidegate/contracts';
import {
  type Decider,
  type Decision,
  isRejection,
  type JsonObject,
  reject,
  type Rejection,
} from '@tidegate/kernel';
import { pinRisk } from '@tidegate/gates';
import { check } from './check.ts';
import type { AnyRolloutCommand, PinnedStart } from './command.ts';
import type { Course } from './course.ts';
import { evolve } from './evolve.ts';
import type { RolloutMessage } from './message.ts';
import { observe } from './observe.ts';
import { decideForPerson } from './person.ts';
import { pauseRestored } from './restored.ts';
import { rollBack } from './rollback.ts';
import { breachKey, type Existing, isLive, type Rollout } from './state.ts';

/** The rules of a rollout: one document per rollout, `absent` until it is started. */
export const rolloutDecider: Decider<Rollout, AnyRolloutCommand, RolloutMessage> = {
  initial: { status: 'absent' },
  decide,
  evolve,
};

function decide(command: AnyRolloutCommand, rollout: Rollout): Decision<RolloutMessage> {
  if (command.type === 'StartRollout') return start(command, rollout);
  if (rollout.status === 'absent') {
    const { rollout: id } = command.data as { rollout?: unknown };
    return reject('ROLLOUT_UNKNOWN', `There is no rollout ${typeof id === 'string' ? id : ''}.`);
  }
  const next = goOn(command, rollout);
  return isRejection(next) ? next : next.messages;
}

function goOn(
  command: Exclude<AnyRolloutCommand, PinnedStart>,
  rollout: Existing,
): Course | Rejection {
  const course: Course = { at: command.metadata.at, state: rollout, messages: [] };
  switch (command.type) {
    case 'Tick':
      return check(course, command.data.evidence);
    case 'RecordEvent':
      return observe(course, rollout, command.data);
    case 'RecordBreach':
      return breachedOutside(course, rollout, command.data);
    case 'StoreRestored':
      return pauseRestored(course, rollout, command.metadata.actor, command.data.epoch);
    default:
      return decideForPerson(course, rollout, command);
  }
}

function start({ data, metadata }: PinnedStart, rollout: Rollout): Decision<RolloutMessage> {
  const { environment, pinned } = data;
  if (isRejection(pinned)) return pinned;
  const { plan, version, hash, warnings = [] } = pinned;
  if (rollout.status !== 'absent')
    return rollout.plan.plan === plan.plan && rollout.environment === environment
      ? []
      : reject('ROLLOUT_EXISTS', `${data.rollout} is already a rollout of ${rollout.plan.plan}.`);
  const { risk, shares } = pinRisk(plan);
  return [
    {
      type: 'RolloutStarted',
      data: {
        rollout: data.rollout,
        environment,
        plan: plan.plan,
        planVersion: version,
        flag: plan.flag,
        planHash: hash,
        risk,
        shares: { ...shares },
        definition: plan as unknown as Record<string, never> & JsonObject,
        steps: plan.steps.map((step) => ({ name: stepName(step), kind: stepKind(step) })),
        startedBy: metadata.actor,
        ...(warnings.length === 0 ? {} : { warnings: [...warnings] }),
      },
    },
    {
      type: 'HoldFlag',
      data: { environment, key: plan.flag, rollout: { id: data.rollout, generation: 1 } },
    },
  ];
}

/** Own breaches come back by the topic and are known; of a rollout that is over, and from before it, none counts. */
function breachedOutside(
  course: Course,
  rollout: Existing,
  { data, metadata }: ThresholdBreached,
): Course | Rejection {
  const { fingerprint, startsAt, message, guard, verdict } = data;
  if (!isLive(rollout) || rollout.breaches.includes(breachKey(data))) return course;
  if (data.environment !== rollout.environment)
    return reject('BREACH_ELSEWHERE', `Rollout ${rollout.id} is not in ${data.environment}.`);
  if (startsAt < rollout.startedAt)
    return reject('BREACH_TOO_OLD', `${guard} was breached before rollout ${rollout.id} began.`);
  const breach = { id: metadata.id, source: metadata.source, fingerprint, startsAt };
  const reason = verdict?.reason ?? guard;
  return rollBack(course, rollout, { reason, message, by: metadata.actor, breach });
}
