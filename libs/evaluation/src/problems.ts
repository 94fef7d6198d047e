import type { Comparison, Condition, FlagDefinition, SegmentDefinition } from '@tidegate/contracts';
import { isLoose } from './loosely.ts';
import { matcherOf } from './operators.ts';

/** What is wrong with a field, as a sentence; `path` leads to it, e.g. rules.0.when.value. */
export interface Problem {
  readonly path: string;
  readonly message: string;
}

/**
 * Patterns, ranges and networks of a definition that cannot be used; for refusing it before it is stored. Once stored
 * they would only make their condition false.
 */
export function problemsOf(definition: FlagDefinition | SegmentDefinition): readonly Problem[] {
  const problems: Problem[] = [];
  if ('members' in definition) collect(definition.when, 'when', problems);
  else
    for (const [index, { when }] of (definition.rules ?? []).entries())
      collect(when, `rules.${index}.when`, problems);
  return problems;
}

function collect(condition: Condition | undefined, path: string, problems: Problem[]): void {
  if (condition === undefined || 'segment' in condition) return;
  if ('not' in condition) collect(condition.not, `${path}.not`, problems);
  else if ('all' in condition) collectEach(condition.all, `${path}.all`, problems);
  else if ('any' in condition) collectEach(condition.any, `${path}.any`, problems);
  else collectComparison(condition, path, problems);
}

function collectEach(conditions: readonly Condition[], path: string, problems: Problem[]): void {
  for (const [index, each] of conditions.entries()) collect(each, `${path}.${index}`, problems);
}

function collectComparison(comparison: Comparison, path: string, problems: Problem[]): void {
  if (isLoose(comparison.operator)) return;
  const matcher = matcherOf(comparison);
  if (typeof matcher !== 'string') return;
  const field = comparison.values === undefined ? 'value' : 'values';
  problems.push({ path: `${path}.${field}`, message: matcher });
}
