import type { SegmentDefinition } from '@tidegate/contracts';
import { targetingKeyOf } from './attribute.ts';
import { compileCondition, type Surroundings, type Test } from './condition.ts';

/** Excluded keys are not in it, members are, then `when` decides; without `when` nobody else is. */
export function compileSegment(definition: SegmentDefinition, around: Surroundings): Test {
  const { when } = definition;
  const holds = when === undefined ? () => false : compileCondition(when, around);
  const members = new Set(definition.members ?? []);
  const excluded = new Set(definition.excluded ?? []);
  if (members.size + excluded.size === 0) return holds;
  return (context) => {
    const key = targetingKeyOf(context) ?? '';
    return !excluded.has(key) && (members.has(key) || holds(context));
  };
}
