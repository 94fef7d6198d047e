import type { GuardOf } from '@tidegate/contracts';
import type { Sentences, Told } from './feasibility-sentence.ts';
import { percent, requestsRate, span } from './text.ts';
import { stepMsOf } from './timing.ts';

/** A sustained guard needs time, and requests in most of its samples. */
export function sustained({ plan, about }: Told, judged: GuardOf<'sustained'>): Sentences {
  const { guard, step, holdMs, perSecond } = about;
  const metric = plan.metrics[judged.metric];
  const warnings: string[] = [];
  if (holdMs < judged.for)
    warnings.push(
      `${guard} breaches after ${span(judged.for)}, and ${step} may be left after ${span(holdMs)}: what begins in it is not seen before the next step.`,
    );
  if ((metric?.type === 'ratio' || metric?.type === 'latency') && perSecond !== null) {
    const stepMs = stepMsOf(plan, judged, metric);
    const present = 1 - Math.exp((-perSecond * stepMs) / 1_000);
    if (present < judged.coverage)
      warnings.push(
        `${guard} needs requests in ${percent(judged.coverage)} of its steps of ${span(stepMs)}; at ${requestsRate(perSecond)} in ${step} only ${percent(present, 2)} have any: it can hardly ever breach.${longer(judged.coverage, perSecond)}`,
      );
  }
  return { sentence: `breaches after ${span(judged.for)}`, warnings };
}

/** As long as a step must be for enough of them to have a request. */
function longer(coverage: number, perSecond: number): string {
  if (perSecond <= 0) return '';
  const seconds = Math.ceil(-Math.log((1 - coverage) / 2) / perSecond);
  return ` A longer step, such as ${span(seconds * 1_000)}, can.`;
}
