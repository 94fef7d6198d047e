import type { Flag, FlagDefinition, OutgoingMessage, RolloutRef } from '@tidegate/contracts';
import { canonicalJson, parseDuration } from '@tidegate/kernel';
import { type Evidence, type FlagVersion, rolloutOf } from './evidence.ts';
import { ENVIRONMENT, FLAG, gatekeeperAwayMs } from './scenario.ts';
import { Violation } from './sim.ts';

const broken = (what: string): never => {
  throw new Violation('P4', what);
};

/** Longest that all replicas of a service, the store or the bus are away, and what a claim and a check take. */
const SLACK_MS = 60_000;

/** Promise 4: a rollback is carried out, or somebody is paged within its deadline. */
export function checkRolledBack(evidence: Evidence): void {
  const versions = evidence.flag(`${ENVIRONMENT}/${FLAG}`);
  for (const started of evidence.of('RollbackStarted')) carriedOut(evidence, started, versions);
  for (const [index, version] of versions.entries())
    restoreNeverEnables(version, versions[index - 1]);
}

const refIn = (flag: Flag | null | undefined): RolloutRef | undefined => flag?.hold?.rollout;

/** What decides whom a definition reaches; the rest only describes it to people. */
function reach({ owner: _o, description: _d, tags: _t, expiresAt: _e, ...rest }: FlagDefinition) {
  return canonicalJson(rest);
}

function carriedOut(
  evidence: Evidence,
  started: OutgoingMessage,
  versions: readonly FlagVersion[],
): void {
  const id = rolloutOf(started) ?? '';
  const { at } = started.metadata;
  const first = versions.find(
    (version) =>
      version.event.type === 'FlagHeld' && rolloutOf(version.event) === id && version.at <= at,
  );
  if (!first?.flag) return; // it had never held the flag
  const before = reach(first.flag.definition);
  const restored = versions.find(
    (version) =>
      version.event.type === 'FlagRestored' && rolloutOf(version.event) === id && version.at >= at,
  );
  const asItWas = versions.findLast((version) => version.at <= at);
  // Two rollbacks may be under way: whichever comes first does it for both.
  const done = versions.find((version) => version.at >= at && asBefore(version.flag, before));
  const doneAt = asBefore(asItWas?.flag, before) ? at : done?.at;
  if (restored && !asBefore(restored.flag, before))
    broken(`the rollback of ${id} made version ${restored.version}, which is not as it was before`);
  if (restored) nothingAfter(id, versions, restored, before);
  for (const { metadata } of evidence
    .of('RolloutRolledBack')
    .filter((each) => rolloutOf(each) === id))
    if (metadata.at >= at && (doneAt ?? Infinity) > metadata.at)
      broken(`${id} says that it is rolled back, and its flag is not as it was`);
  const awayMs = gatekeeperAwayMs(evidence.world.scenario);
  const deadline = at + pageAfter(evidence) + SLACK_MS + awayMs;
  if ((doneAt ?? Infinity) > deadline && !isPaged(evidence, id, at, deadline))
    broken(`the rollback of ${id} was neither carried out nor paged in time`);
}

const asBefore = (flag: Flag | null | undefined, before: string): boolean =>
  flag !== null && flag !== undefined && reach(flag.definition) === before;

/** What the rollout had sent before comes too late. */
function nothingAfter(
  id: string,
  versions: readonly FlagVersion[],
  restored: FlagVersion,
  before: string,
): void {
  for (const { version, flag, event } of versions)
    if (version > restored.version && refIn(flag)?.id === id && !asBefore(flag, before))
      broken(`after its rollback ${id} moved users again in version ${version} (${event.type})`);
}

function isPaged({ messages }: Evidence, id: string, from: number, to: number): boolean {
  return messages.some(({ type, data, metadata: { at }, ...rest }) => {
    if (at < from || at > to || rolloutOf({ type, data, ...rest } as OutgoingMessage) !== id)
      return false;
    return (
      type === 'RolloutFailed' ||
      type === 'DeadlineMissed' ||
      (type === 'RolloutHeld' && (data as { page: boolean }).page)
    );
  });
}

function pageAfter({ world }: Evidence): number {
  return Number(parseDuration(String(world.scenario.plan['pageAfter'])));
}

function restoreNeverEnables(
  { event, flag, version }: FlagVersion,
  former: FlagVersion | undefined,
): void {
  if (event.type === 'FlagRestored' && former?.flag?.disabled && !flag?.disabled)
    broken(`version ${version} enabled what somebody had disabled`);
}
