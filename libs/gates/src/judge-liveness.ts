import { NO_ODDS } from './beyond.ts';
import type { Facts } from './facts.ts';
import { type Judged, lackOf } from './judged.ts';
import type { LivenessPolicy } from './policy.ts';
import type { Reason } from './reasons.ts';
import { number, span } from './text.ts';

/** Whether the canary's instances are there, and stay up. */
export function judgeLiveness(policy: LivenessPolicy, facts: Facts): Judged {
  const { vanished, restarts, detail } = facts.liveness ?? { vanished: 0, restarts: 0, detail: '' };
  const reason = reasonFor(policy, facts, vanished, restarts);
  return {
    ...NO_ODDS,
    reason,
    numbers: { vanished, restarts, mostRestarts: policy.restarts },
    why: detail,
    counts: `${number(vanished)} of the canary’s instances vanished, ${number(restarts)} restarts of one within ${span(policy.withinMs)}, ${number(policy.restarts)} are too many.`,
  };
}

function reasonFor(
  policy: LivenessPolicy,
  facts: Facts,
  vanished: number,
  restarts: number,
): Reason {
  if (vanished > 0) return 'canary-vanished';
  if (restarts >= policy.restarts) return 'canary-restarts';
  return lackOf(policy, facts) ?? 'alive';
}
