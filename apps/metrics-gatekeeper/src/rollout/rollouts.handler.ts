import { createHash } from 'node:crypto';
import {
  type ApproveRollout,
  type Plan,
  readPlan,
  type RolloutCommand,
  type StartRollout,
  type ThresholdBreached,
} from '@tidegate/contracts';
import {
  type Clock,
  type Command,
  isRejection,
  type Ids,
  reject,
  type Rejection,
} from '@tidegate/kernel';
import type { Documents, Execute, Outcome } from '@tidegate/store';
import type { StageEvidence } from '@tidegate/gates';
import type { Plans } from '../plan/plans.handler.ts';
import type { AnyRolloutCommand, PinnedPlan, StoreRestored } from './command.ts';
import { isAbout } from './match.ts';
import type { RolloutMessage } from './message.ts';
import type { ObservedMessage } from './observed.ts';
import { rolloutDecider } from './rollout.ts';
import { relyingOn } from './rollouts.ts';
import { type Existing, isLive, type Rollout, STORE_RESTORED } from './state.ts';

/**
 * What a plan can never see or prove with the traffic that an environment has, as sentences. Resolves soon, with none
 * where that cannot be measured; never rejects: a start does not wait for it long, and does not fail by it.
 */
export type Warnings = (plan: Plan, environment: string) => Promise<readonly string[]>;

export interface Rollouts {
  readonly documents: Documents<Rollout>;
  /** Pins the plan and begins; a repeated command begins one rollout. */
  start(command: StartRollout): Promise<Outcome<Rollout>>;
  /** What a person, or somebody by the topic, wants of a rollout. */
  change(command: Exclude<RolloutCommand, StartRollout>): Promise<Outcome<Rollout>>;
  /** An approval that came by the topic: anybody could have written it there. It is answered, and changes nothing. */
  refuseApproval(command: ApproveRollout): Promise<Outcome<Rollout>>;
  /** What another service said, told to the rollouts that it concerns. */
  observe(message: ObservedMessage): Promise<void>;
  /** A breach, told to the rollout it names, or to all whose labels it has. Resolves with the rollouts it was told. */
  breach(message: ThresholdBreached): Promise<readonly string[]>;
  /** The rollouts under way that such a breach is about. */
  about(breach: ThresholdBreached['data']): Promise<readonly string[]>;
  /** Pauses what was under way in a backup that was put back; safe to repeat, also for several replicas. */
  pauseRestored(epoch: number): Promise<void>;
  /** One check of one rollout. */
  tick(id: string, evidence: StageEvidence): Promise<Outcome<Rollout>>;
}

interface Deps {
  readonly execute: Execute;
  readonly documents: Documents<Rollout>;
  readonly plans: Plans;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly source: string;
  /** The first check of a new rollout must be arranged before it begins: a crash in between loses nothing. */
  readonly arrangeChecks: (id: string) => Promise<void>;
  readonly warnings: Warnings;
  /** What the newest check of a rollout has counted. */
  readonly evidenceOf: (id: string) => Promise<StageEvidence | undefined>;
}

export function createRollouts(deps: Deps): Rollouts {
  const { documents, clock, ids } = deps;
  const aggregate = { documents, decider: rolloutDecider, ticks: ['Tick'] as const };
  const refusing = { documents, decider: { ...rolloutDecider, decide: () => notByTopic } };
  const execute = (id: string, command: AnyRolloutCommand) =>
    deps.execute<Rollout, AnyRolloutCommand, RolloutMessage>(aggregate, id, command);
  /** Of a command that this service makes: the rollout acts by itself. */
  const metadata = (id: string, of: { id: string; source: string; correlationId: string }) => ({
    ...of,
    at: clock.now(),
    actor: `rollout:${id}`,
  });
  return {
    documents,
    async start(command) {
      const { plan, version, rollout } = command.data;
      const pinned = await pin(deps.plans, plan, version);
      if (!isRejection(pinned)) await deps.arrangeChecks(rollout);
      const found = isRejection(pinned) ? pinned : await warned(deps, command, pinned);
      return execute(rollout, { ...command, data: { ...command.data, pinned: found } });
    },
    async change(command) {
      const { rollout } = command.data;
      if (command.type !== 'PromoteRollout') return execute(rollout, command);
      const evidence = await deps.evidenceOf(rollout);
      return execute(rollout, { ...command, data: { ...command.data, evidence } });
    },
    refuseApproval: (command) => deps.execute(refusing, command.data.rollout, command),
    async observe(message) {
      for (const id of await concerned(documents, message))
        await execute(id, {
          type: 'RecordEvent',
          data: message,
          metadata: metadata(id, message.metadata),
        });
    },
    async breach(message) {
      const told = await breached(documents, message.data);
      for (const id of told)
        await execute(id, {
          type: 'RecordBreach',
          data: message,
          metadata: metadata(id, message.metadata),
        });
      return told;
    },
    async pauseRestored(epoch) {
      const of = { epoch, source: deps.source, at: clock.now() };
      for (const { id } of await liveIn(documents, {})) await execute(id, storeRestored(id, of));
    },
    about: (breach) => aboutNow(documents, breach),
    tick: (id, evidence) => {
      const of = { id: ids.next(), source: deps.source, correlationId: id };
      return execute(id, { type: 'Tick', data: { evidence }, metadata: metadata(id, of) });
    },
  };
}

/** The same command each time: a rollout that a person has resumed is not paused by another replica. */
const storeRestored = (
  id: string,
  { epoch, source, at }: { epoch: number; source: string; at: number },
): StoreRestored => ({
  type: 'StoreRestored',
  data: { epoch },
  metadata: {
    id: `${STORE_RESTORED}/${epoch}/${id}`,
    source,
    at,
    actor: source,
    correlationId: id,
  },
});

const notByTopic = reject(
  'APPROVAL_NOT_BY_TOPIC',
  'Approvals are given over HTTP, where it is known who gives them.',
);

/** Made from the request's identity: the same request, repeated, means the same rollout. */
export const rolloutIdFor = ({ metadata: { source, id } }: Pick<Command, 'metadata'>): string =>
  `r-${createHash('sha256').update(`${source}\n${id}`).digest('hex').slice(0, 12)}`;

async function pin(plans: Plans, name: string, version?: number): Promise<PinnedPlan | Rejection> {
  const found = await plans.find(name, version);
  if (isRejection(found)) return found;
  const read = found.text === undefined ? undefined : readPlan(found.text);
  if (read && 'plan' in read) return { plan: read.plan, version: found.version, hash: found.hash };
  return reject(
    'PLAN_VERSION_UNUSABLE',
    read
      ? `Version ${found.version} of ${name} is not a plan as this release reads it; put it again.`
      : `The text of version ${found.version} of ${name} is no longer kept; put it again.`,
  );
}

/** A repeated start says what the first one said. */
async function warned(
  { documents, warnings }: Deps,
  { data: { rollout, environment } }: StartRollout,
  pinned: PinnedPlan,
): Promise<PinnedPlan> {
  const isNew = (await known(documents, rollout)).length === 0;
  return isNew ? { ...pinned, warnings: await warnings(pinned.plan, environment) } : pinned;
}

/** Rollouts by the message's own reference; what somebody did to a flag concerns whoever holds it or relies on it. */
async function concerned(
  documents: Documents<Rollout>,
  message: ObservedMessage,
): Promise<readonly string[]> {
  if (message.type === 'FlagDisabled' || message.type === 'FlagEnabled') {
    const { environment, key } = message.data;
    const found = await Promise.all([
      liveIn(documents, { environment, flag: key }),
      liveIn(documents, { environment, [relyingOn({ kind: 'flag', key })]: true }),
    ]);
    return found.flat().map(({ id }) => id);
  }
  const { rollout } = message.data;
  const others = 'rollouts' in message.data ? (message.data.rollouts ?? []) : [];
  const ids = new Set([...(rollout ? [rollout] : []), ...others].map(({ id }) => id));
  return (await Promise.all([...ids].map((id) => known(documents, id)))).flat();
}

async function breached(
  documents: Documents<Rollout>,
  data: ThresholdBreached['data'],
): Promise<readonly string[]> {
  if (data.rollout !== undefined) return known(documents, data.rollout);
  const live = await liveIn(documents, { environment: data.environment });
  return live.filter((each) => isAbout(data, each)).map(({ id }) => id);
}

/** Those of them that are under way, and in the environment that the breach is said to be in. */
async function aboutNow(
  documents: Documents<Rollout>,
  breach: ThresholdBreached['data'],
): Promise<readonly string[]> {
  if (breach.rollout === undefined) return breached(documents, breach);
  const rollout = (await documents.load(breach.rollout))?.state;
  const isAbout = rollout && isLive(rollout) && rollout.environment === breach.environment;
  return isAbout ? [rollout.id] : [];
}

/** What others do not know of must not become a document of ours. */
async function known(documents: Documents<Rollout>, id: string): Promise<readonly string[]> {
  const document = await documents.load(id);
  return document && document.state.status !== 'absent' ? [id] : [];
}

const PAGE = 200;

async function liveIn(
  documents: Documents<Rollout>,
  where: Readonly<Record<string, string | boolean>>,
): Promise<readonly Existing[]> {
  const found: Existing[] = [];
  for (let after: string | undefined; ;) {
    const page = await documents.list({ where: { ...where, live: true }, after, limit: PAGE });
    for (const { state } of page) if (state.status !== 'absent') found.push(state);
    after = page.at(-1)?.id;
    if (page.length < PAGE) return found;
  }
}
