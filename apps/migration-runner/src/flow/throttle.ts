import type { MigrationFlow } from '@tidegate/contracts';
import { formatDuration } from '@tidegate/kernel';
import type { ThrottleReason } from '../run/runner-command.ts';
import type { Health } from '../target/target.port.ts';
import { isOpen, onTheWall, opensAt } from './window.ts';

/** Why no batch is begun now, and when to look again. */
export interface Throttle {
  readonly because: ThrottleReason;
  readonly message: string;
  readonly lookAgainInMs: number;
}

/** What is known now; what was not asked, or does not apply, is left out. */
export interface Facts {
  readonly at: number;
  /** Why the run's rollout is held. */
  readonly guard?: string | undefined;
  /** Somebody else's reason, such as a full journal. */
  readonly held?: Throttle | undefined;
  /** What the probe answered if it was not 2xx. */
  readonly probe?: string | undefined;
  readonly health?: Health | undefined;
  /** Batches are too slow, though they cannot be smaller: rest until then. */
  readonly slow?: { readonly until: number; readonly message: string } | undefined;
}

const LOOK_MS = 1_000;

/** The first line that applies decides; the order of the lines is the policy. */
export function throttleOf(flow: MigrationFlow, facts: Facts): Throttle | undefined {
  return (
    closedWindow(flow, facts.at) ??
    (facts.guard === undefined ? undefined : now('guard', facts.guard)) ??
    facts.held ??
    (facts.health && (lag(flow, facts.health) ?? load(flow, facts.health))) ??
    (facts.probe === undefined ? undefined : now('probe', facts.probe)) ??
    tooSlow(facts)
  );
}

const now = (because: ThrottleReason, message: string): Throttle => ({
  because,
  message,
  lookAgainInMs: LOOK_MS,
});

function closedWindow({ window }: MigrationFlow, at: number): Throttle | undefined {
  if (!window || isOpen(window, at)) return undefined;
  const opening = opensAt(window, at);
  const { from, to, days } = window;
  const on = days === undefined ? '' : ` on ${days.join(', ')}`;
  return {
    because: 'window',
    message: `Only from ${from} to ${to}${on}: it goes on at ${onTheWall(window, opening)}.`,
    lookAgainInMs: opening - at,
  };
}

/** A limit on what the server does not tell is not kept: that is no reason to go on. */
function lag(
  { maxLagMs }: MigrationFlow,
  { replicationLagMs, detail }: Health,
): Throttle | undefined {
  if (maxLagMs === undefined) return undefined;
  const allowed = `at most ${formatDuration(maxLagMs)} are allowed`;
  if (replicationLagMs === undefined)
    return now(
      'replication-lag',
      `How far replicas are behind is not known (${detail.join('; ')}); ${allowed}.`,
    );
  if (replicationLagMs <= maxLagMs) return undefined;
  return now(
    'replication-lag',
    `A replica is ${formatDuration(replicationLagMs)} behind; ${allowed}.`,
  );
}

function load(flow: MigrationFlow, { load: found, detail }: Health): Throttle | undefined {
  const most = flow.maxLoad ?? flow.criticalLoad;
  if (most === undefined) return undefined;
  if (found === undefined)
    return now(
      'server-load',
      `The server's load is not known (${detail.join('; ')}); at most ${most} is allowed.`,
    );
  return found <= most
    ? undefined
    : now('server-load', `The server's load is ${found}; at most ${most} is allowed.`);
}

function tooSlow({ slow, at }: Facts): Throttle | undefined {
  if (!slow || slow.until <= at) return undefined;
  return { because: 'own-latency', message: slow.message, lookAgainInMs: slow.until - at };
}

/** In a sentence; undefined: below. */
export const criticalLoad = (
  { criticalLoad: limit }: MigrationFlow,
  health: Health | undefined,
): string | undefined =>
  limit !== undefined && health?.load !== undefined && health.load > limit
    ? `The server's load is ${health.load}; above ${limit} the run is to fail.`
    : undefined;

/** Limits on what this server does not tell at all, in a sentence: better known before the first write. */
export function unknownLimit(flow: MigrationFlow, health: Health | undefined): string | undefined {
  if (!health) return undefined;
  const because = `(${health.detail.join('; ')}); leave it out`;
  if (flow.maxLagMs !== undefined && health.replicationLagMs === undefined)
    return `flow.maxLagMs cannot be kept: the server does not tell how far its replicas are behind ${because}.`;
  if ((flow.maxLoad ?? flow.criticalLoad) === undefined || health.load !== undefined)
    return undefined;
  return `flow.${flow.maxLoad === undefined ? 'criticalLoad' : 'maxLoad'} cannot be kept: the server does not tell its load ${because}.`;
}

export const asksHealth = ({ maxLagMs, maxLoad, criticalLoad: critical }: MigrationFlow): boolean =>
  (maxLagMs ?? maxLoad ?? critical) !== undefined;
