import type { Condition, Rule } from '@tidegate/contracts';

/** A rule as one reads it: `staff: plan equals pro and in beta-users → on`. */
export function ruleLine({ name, when, variant, split }: Rule, index: number): string {
  const condition = when === undefined ? 'everyone' : conditionText(when);
  const served =
    variant ?? split?.weights.map((part) => `${part.variant} ${part.weight}`).join(' : ');
  const by = split?.by === undefined ? '' : ` by ${split.by}`;
  return `${name ?? index + 1}: ${condition} → ${served ?? ''}${by}`;
}

function conditionText(condition: Condition): string {
  if ('segment' in condition) return `in ${condition.segment}`;
  if ('not' in condition) return `not ${inner(condition.not)}`;
  if ('all' in condition) return joined(condition.all, ' and ', 'everyone');
  if ('any' in condition) return joined(condition.any, ' or ', 'nobody');
  const { attribute, operator, value, values, ignoreCase } = condition;
  const operand = values?.join(', ') ?? String(value);
  return `${attribute} ${operator} ${operand}${ignoreCase === true ? ' (any case)' : ''}`;
}

const joined = (conditions: readonly Condition[], by: string, none: string): string =>
  conditions.length === 0 ? none : conditions.map(inner).join(by);

const inner = (condition: Condition): string =>
  'all' in condition || 'any' in condition
    ? `(${conditionText(condition)})`
    : conditionText(condition);
