import type { Plan, Verdict } from '@tidegate/contracts';
import { isMissingData } from '@tidegate/gates';

/** What one guard said to one change, made when one step had just opened. */
export interface Reaction {
  readonly change: string;
  readonly step: string;
  readonly guard: string;
  /** From the change until its breach, ms; null if it did not come within the step. */
  readonly firedAfterMs: number | null;
  /** Why it held instead, for the longest time or at the end. */
  readonly held: string | null;
  /** Its newest verdict, as a sentence, and how near it is to a breach: 1 is one; null for judges without evidence. */
  readonly message: string;
  readonly nearness: number | null;
}

/** Which guard notices what. */
export interface Mutation {
  readonly reactions: readonly Reaction[];
  /** Guards that nothing has made fire: what they would see in a real rollout nobody knows. */
  readonly silent: readonly { readonly guard: string; readonly advice: string }[];
}

/** What is known of one guard while a change lasts. */
export interface Watched {
  readonly guard: string;
  readonly firedAt: number | null;
  readonly verdict: Verdict | null;
}

export const nothingYet = (plan: Plan): Watched[] =>
  plan.guards.map(({ name }) => ({ guard: name, firedAt: null, verdict: null }));

/** A guard that fires stays so. A split guard never breaches: its mismatch is what it is for. */
export const watched = (
  known: readonly Watched[],
  verdicts: readonly Verdict[],
  at: number,
): Watched[] =>
  known.map((each) => {
    if (each.firedAt !== null) return each;
    const verdict = verdicts.find(({ guard }) => guard === each.guard) ?? each.verdict;
    return { ...each, verdict, firedAt: verdict && fires(verdict) ? at : null };
  });

const fires = ({ outcome, reason }: Verdict): boolean =>
  outcome === 'breach' || reason === 'sample-ratio-mismatch';

export const haveAllFired = (known: readonly Watched[]): boolean =>
  known.every(({ firedAt }) => firedAt !== null);

export const reactionOf = (
  change: string,
  step: string,
  { guard, firedAt, verdict }: Watched,
  since: number,
): Reaction => ({
  change,
  step,
  guard,
  firedAfterMs: firedAt === null ? null : firedAt - since,
  held: firedAt === null && verdict?.outcome === 'hold' ? verdict.reason : null,
  message: verdict?.message ?? '',
  nearness: nearnessOf(verdict),
});

const nearnessOf = (verdict: Verdict | null): number | null =>
  verdict === null || verdict.logE === null || verdict.threshold === null
    ? null
    : verdict.logE / verdict.threshold;

export function mutationOf(plan: Plan, reactions: readonly Reaction[]): Mutation {
  const silent = plan.guards.flatMap((guard) => {
    const own = reactions.filter((each) => each.guard === guard.name);
    if (own.some(({ firedAfterMs }) => firedAfterMs !== null)) return [];
    return [{ guard: guard.name, advice: adviceFor(plan, guard, own) }];
  });
  return { reactions, silent };
}

/** What to change so that it can fire, from how near it came. */
function adviceFor(plan: Plan, guard: Plan['guards'][number], own: readonly Reaction[]): string {
  const metric = `its metric ${guard.metric}`;
  if (own.length === 0) return 'no stage or bake was reached in which it is judged.';
  const data = own.find(({ held }) => held !== null && isMissingData(held));
  if (own.every(({ held }) => held !== null && isMissingData(held)))
    return `${metric} had no usable data in the recording (${data?.held}): ${data?.message} Check its selectors, or record the series.`;
  const nearest = own
    .filter(({ held }) => held === null || !isMissingData(held))
    .toSorted((a, b) => (b.nearness ?? 0) - (a.nearness ?? 0))[0];
  const said = nearest
    ? `Nearest, under ${nearest.change} in ${nearest.step}: "${nearest.message}"`
    : '';
  switch (guard.judge) {
    case 'sequential':
      return `the stages are too short, or see too little traffic, for its limit. Hold them longer, open them wider, or give it more weight. ${said}`;
    case 'sustained': {
      const holds = plan.steps.flatMap((step) => ('hold' in step ? [step.hold] : []));
      return Math.max(0, ...holds) < guard.for
        ? `no stage is held as long as its "for": hold one longer, or shorten it. ${said}`
        : `its threshold lies beyond all that was made worse: check it, and the unit of the metric. ${said}`;
    }
    case 'immediate':
      return `its threshold lies beyond all that was made worse: check it, and that the metric counts what it should. ${said}`;
    case 'split':
      return `a wrong split was not noticed: the stages see too little traffic for its risk. ${said}`;
  }
}
