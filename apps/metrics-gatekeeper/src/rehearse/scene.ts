import type { Plan } from '@tidegate/contracts';
import type { StageEvidence } from '@tidegate/gates';
import { type Fact, isRejection } from '@tidegate/kernel';
import type { Reading } from '@tidegate/metrics-source';
import type { AnyRolloutCommand } from '../rollout/command.ts';
import { look } from '../rollout/look.ts';
import type { RolloutMessage } from '../rollout/message.ts';
import { rolloutDecider } from '../rollout/rollout.ts';
import type { Existing, Rollout } from '../rollout/state.ts';
import { answerTo } from './stand-ins.ts';

/** A rollout that is only played: its state, what its checks have counted, and all that it has said. Plain JSON. */
export interface Scene {
  readonly at: number;
  readonly rollout: Rollout;
  readonly evidence: StageEvidence | undefined;
  readonly said: readonly Fact<RolloutMessage>[];
  /** As many ids have been given. */
  readonly ids: number;
}

const ROLLOUT = 'rehearsal';

/** The rollout has been started at `at`, and holds its flag. */
export function opening(plan: Plan, environment: string, at: number): Scene {
  const empty: Scene = {
    at,
    rollout: rolloutDecider.initial,
    evidence: undefined,
    said: [],
    ids: 0,
  };
  const pinned = { plan, version: 1, hash: '' };
  const data = { rollout: ROLLOUT, plan: plan.plan, environment, pinned };
  const metadata = { ...metadataOf(empty), actor: 'rehearsal' };
  return hear(empty, { type: 'StartRollout', key: ROLLOUT, data, metadata });
}

/** One check at `at`, by the very rules of a rollout that is real. */
export function checkAt(scene: Scene, readings: readonly Reading[], at: number): Scene {
  const { rollout } = scene;
  if (rollout.status === 'absent' || isOver(scene)) return scene;
  const evidence = look(rollout, scene.evidence, readings, at);
  const now = { ...scene, at, evidence };
  return hear(now, { type: 'Tick', data: { evidence }, metadata: metadataOf(now) });
}

const OVER: ReadonlySet<Rollout['status']> = new Set([
  'completed',
  'rolled-back',
  'failed',
  'aborted',
]);
/** Whether it has come to its end. What would come after a rollback no recording knows. */
export const isOver = ({ rollout }: Scene): boolean => OVER.has(rollout.status);

/** Once it has begun there is one. */
export function rolloutOf({ rollout }: Scene): Existing {
  if (rollout.status === 'absent') throw new TypeError('The rollout has not begun.');
  return rollout;
}

const metadataOf = ({ at, ids }: Scene) => ({
  id: `${ROLLOUT}-${ids}`,
  source: ROLLOUT,
  at,
  actor: 'metrics-gatekeeper',
  correlationId: ROLLOUT,
});

/** What the command leads to, and what the answers to that lead to in turn. */
function hear(scene: Scene, command: AnyRolloutCommand): Scene {
  const decided = rolloutDecider.decide(command, scene.rollout);
  if (isRejection(decided))
    throw new TypeError(`A rehearsed rollout was refused ${command.type}: ${decided.message}`);
  let next = scene;
  for (const draft of decided) next = happened(next, draft);
  for (const fact of next.said.slice(scene.said.length)) {
    const answer = answerTo(fact, `answer-to-${fact.metadata.id}`);
    if (answer !== undefined) next = hear(next, answer);
  }
  return next;
}

function happened(scene: Scene, draft: RolloutMessage): Scene {
  const { rollout, said, ids, at } = scene;
  const fact = { ...draft, metadata: { id: `${ROLLOUT}-${ids}`, at } };
  return {
    ...scene,
    rollout: rolloutDecider.evolve(rollout, fact),
    said: [...said, fact],
    ids: ids + 1,
  };
}
