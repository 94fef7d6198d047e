import type { ThresholdBreached } from '@tidegate/contracts';
import { OWN_LABEL } from '../breach/alertmanager-body.ts';

/** The breaches of one rollout that an Alertmanager is told of: plain JSON. */
export interface Alerts {
  readonly raised: readonly Raised[];
  /** How often in a row it could not be told. */
  readonly failures: number;
  /** When it is told next; null once it knows that it is over. */
  readonly nextAt: number | null;
}

export interface Raised {
  /** Equal for repeats of one breach. */
  readonly breach: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: number;
  /** It has been told at least once, and so somebody may have been called. */
  readonly told: boolean;
}

/** One alert as `POST /api/v2/alerts` takes it. */
export interface Posted {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
}

export const noAlerts: Alerts = { raised: [], failures: 0, nextAt: null };

const LONGEST_RETRY_MS = 15_000;
/** Nobody is called for what could not be told for so long. */
const TOO_OLD_MS = 3_600_000;

/** The rollout's alerts with this breach; the same ones if it is known. */
export function raise(alerts: Alerts, { data, metadata }: ThresholdBreached, at: number): Alerts {
  const breach = `${data.fingerprint}@${data.startsAt}`;
  if (at - metadata.at > TOO_OLD_MS || alerts.raised.some((each) => each.breach === breach))
    return alerts;
  const { environment, rollout, guard, labels, message, startsAt, verdict } = data;
  const named = { environment, rollout, guard, reason: verdict?.reason, ...labels };
  const raised: Raised = {
    breach,
    labels: {
      ...Object.fromEntries(
        Object.entries(named).filter((pair): pair is [string, string] => Boolean(pair[1])),
      ),
      alertname: 'TidegateBreach',
      severity: 'critical',
      [OWN_LABEL]: 'true',
    },
    annotations: {
      summary: message,
      description: `${guard} of the rollout ${rollout} is in breach; the rollout is taken back.`,
    },
    startsAt,
    told: false,
  };
  return { raised: [...alerts.raised, raised], failures: 0, nextAt: at };
}

/**
 * What is posted at `at`. What was never told is told as firing, whatever has become of the rollout: people should know.
 * @param isOver whether it is resolved: see `isSettled`
 */
export const posted = (
  { raised }: Alerts,
  at: number,
  { isOver, everyMs }: { isOver: boolean; everyMs: number },
): Posted[] =>
  raised.map(({ labels, annotations, startsAt, told }) => ({
    labels,
    annotations,
    startsAt: new Date(startsAt).toISOString(),
    endsAt: new Date(isOver && told ? at : at + 5 * everyMs).toISOString(),
  }));

/** After it was told at `at`. */
export function told(
  { raised }: Alerts,
  at: number,
  { isOver, everyMs }: { isOver: boolean; everyMs: number },
): Alerts {
  const isEnd = isOver && raised.every((each) => each.told);
  return {
    raised: raised.map((each) => ({ ...each, told: true })),
    failures: 0,
    nextAt: isEnd ? null : at + everyMs,
  };
}

/** After it could not be told at `at`: again, ever more seldom, until nobody needs to be called any more. */
export function failed(alerts: Alerts, at: number, isOver: boolean): Alerts {
  const failures = alerts.failures + 1;
  const newest = Math.max(...alerts.raised.map(({ startsAt }) => startsAt));
  if (isOver && at - newest > TOO_OLD_MS) return { ...alerts, failures, nextAt: null };
  const waitMs = Math.min(LONGEST_RETRY_MS, 500 * 2 ** Math.min(failures, 10));
  return { ...alerts, failures, nextAt: at + waitMs };
}
