import { type Guard, type Plan, watchedName, type WatchedStep } from '@tidegate/contracts';
import { formatDuration } from '@tidegate/kernel';
import type { Feasible, MetricTraffic } from './feasibility.ts';
import { POWER } from './feasibility-reach.ts';
import { sustained } from './feasibility-sustained.ts';
import { about as roughly, number, percent, requestsRate, span, times } from './text.ts';
import { isEveryone } from './timing.ts';

export type Sentences = Pick<Feasible, 'sentence' | 'warnings'>;

export interface Told {
  readonly plan: Plan;
  readonly guard: Guard;
  readonly step: WatchedStep;
  readonly about: Omit<Feasible, 'sentence' | 'warnings'>;
  readonly traffic: MetricTraffic | undefined;
  readonly share: number | null;
}

/** What can be seen in one step, and what cannot, in numbers that follow from nothing but the plan and the traffic. */
export function sentencesFor(told: Told): Sentences {
  switch (told.guard.judge) {
    case 'immediate':
      return { sentence: `is seen at the next check, ${span(told.plan.checkEvery)}`, warnings: [] };
    case 'sustained':
      return sustained(told, told.guard);
    case 'split':
      return { sentence: 'tells whether the traffic is split as planned', warnings: [] };
    case 'sequential':
      return sequential(told);
  }
}

function sequential(told: Told): Sentences {
  const { about, traffic } = told;
  const { guard, step, detect, seenAfterMs, needed } = about;
  if (detect === null) return unjudged(told);
  if (seenAfterMs === null) {
    const why = traffic?.unknown ?? whyUnknown(told);
    const what =
      needed === null
        ? ''
        : ` It takes ${roughly(needed)} ${unitOf(told)} to see ${seenAs(told, detect)}.`;
    return {
      sentence: `not known.${what}`,
      warnings: [
        `${guard}${traffic?.unknown === undefined ? ` in ${step}` : ''}: ${asSentence(why)}${what}`,
      ],
    };
  }
  return { sentence: sentenceOf(told, seenAfterMs), warnings: [...tooFew(told), ...late(told)] };
}

const asSentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

function unjudged({ plan, guard }: Told): Sentences {
  const metric = plan.metrics[guard.metric];
  const recorded =
    metric && 'baseline' in metric && metric.baseline && 'recorded' in metric.baseline;
  // It is read at the first check.
  const sentence = recorded
    ? 'what was recorded before is not known yet'
    : 'everybody has the new version: there is nothing to compare it with';
  return { sentence, warnings: [] };
}

function whyUnknown({ share, traffic, guard }: Told): string {
  if (share === null)
    return 'who gets it is said by name, so how many requests it will see is not known.';
  if (traffic?.perSecond !== null && traffic?.badShare === null)
    return 'how often the baseline fails is not known.';
  return `how many requests ${guard.metric} counts is not known.`;
}

const sentenceOf = (told: Told, seenAfterMs: number): string => {
  const { detect, power } = told.about;
  const what = seenAs(told, detect ?? 0);
  if (seenAfterMs === Infinity) return `${what} is never seen`;
  const within = power === null ? '' : `, with ${percent(power, 2)} power within the hold time`;
  return `${what} is seen in ${span(seenAfterMs)}${within}`;
};

/** That the hold time is too short for what the plan wants seen, and what it can prove at the very best. */
function tooFew(told: Told): string[] {
  const { about, plan, step } = told;
  const { guard, holdMs, detect, smallest, needed, seenAfterMs, provable, limit } = about;
  if (detect === null || seenAfterMs === null || seenAfterMs <= holdMs) return [];
  const place = placeOf(told);
  const can =
    smallest === null
      ? 'it can see no regression at all'
      : `it can see ${seenAs(told, smallest)}, not ${seenAs(told, detect)}`;
  const takes =
    seenAfterMs === Infinity
      ? ''
      : `; that takes ${needed === null ? '' : `${roughly(needed)} ${unitOf(told)}, `}${span(seenAfterMs)}`;
  const proves =
    provable === null || limit === null || provable <= limit
      ? ''
      : ` It cannot prove less than ${percent(provable, 2)}, however good the version is.`;
  return [`${place}${guard}: with ${percent(POWER)} power ${can}${takes}.${proves}`.trim()].map(
    (sentence) => withDeadline(sentence, plan, step, seenAfterMs),
  );
}

/** "At 10 requests/s the 5 % stage canary of 15m sees 450 requests. " */
function placeOf({ about, share, traffic }: Told): string {
  const { step, holdMs, requests } = about;
  if (requests === null || traffic?.perSecond === null || traffic === undefined)
    return `In ${step}, ${span(holdMs)}: `;
  const of = share === null || !traffic.divided ? '' : `${percent(share)} `;
  return `At ${requestsRate(traffic.perSecond)} the ${of}step ${step} of ${span(holdMs)} sees ${number(requests)} requests. `;
}

function withDeadline(
  sentence: string,
  _plan: Plan,
  { deadline, atDeadline }: WatchedStep,
  neededMs: number,
): string {
  if (deadline === undefined || neededMs <= deadline) return sentence;
  const then = atDeadline === 'advance' ? 'it goes on without having seen it' : 'a person is asked';
  return `${sentence} Its deadline of ${formatDuration(deadline)} comes first: ${then}.`;
}

/** That a healthy version waits longer than the plan says, although the regression is seen in time. */
function late(told: Told): string[] {
  const { about, guard } = told;
  const { passesAfterMs, holdMs, seenAfterMs, step } = about;
  if (passesAfterMs === null || passesAfterMs <= holdMs || (seenAfterMs ?? 0) >= passesAfterMs)
    return [];
  if (passesAfterMs === Infinity)
    return [
      `${guard.name} in ${step} can never be proven good: ${compares(told) ? 'as bad as the baseline is not proven to be within its margin' : 'its rate is not below its limit now'}.`,
    ];
  return [
    `${guard.name} in ${step}: to be proven good takes ${span(passesAfterMs)}, more than the ${span(holdMs)} of the plan.`,
  ];
}

/** Where everybody has the new version, it is judged by its limit. */
const compares = ({ plan, guard, step }: Told): boolean => {
  const metric = plan.metrics[guard.metric];
  const baseline = metric && 'baseline' in metric ? metric.baseline : undefined;
  return (
    guard.judge === 'sequential' &&
    guard.margin !== undefined &&
    !isEveryone(plan, watchedName(step)) &&
    baseline !== undefined &&
    !('recorded' in baseline)
  );
};

const unitOf = (told: Told): string => (compares(told) ? 'errors' : 'requests');

function seenAs(told: Told, value: number): string {
  const { plan, guard } = told;
  if (compares(told)) return `${times(value)} the baseline`;
  const metric = plan.metrics[guard.metric];
  if (metric?.type === 'rate')
    return `${number(Number(value.toPrecision(3)))} in ${span(metric.per)}`;
  return percent(value, 2);
}
