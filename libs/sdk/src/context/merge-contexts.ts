import type { EvaluationContext } from '@tidegate/evaluation';

/** Attribute by attribute, `above` wins; also where it says undefined, since that says "nobody". */
export function mergeContexts(
  below: EvaluationContext | undefined,
  above: EvaluationContext | undefined,
): EvaluationContext | undefined {
  if (below === undefined) return above;
  return above === undefined ? below : { ...below, ...above };
}
