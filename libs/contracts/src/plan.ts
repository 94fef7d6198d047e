import { isRejection, parseDuration, parsePercentage } from '@tidegate/kernel';
import { isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { name } from './fields.ts';
import { migrationActions } from './migration.ts';

/** A plan is YAML (or JSON). Durations are like "15m", percentages 10 or "10%", limits like "1%". */
const duration = z.string().transform((text, context) => {
  const ms = parseDuration(text);
  if (!isRejection(ms)) return ms;
  context.addIssue({ code: 'custom', message: ms.message });
  return z.NEVER;
});
const percentage = z.union([z.number(), z.string()]).transform((value, context) => {
  const parsed = parsePercentage(value);
  if (!isRejection(parsed)) return parsed;
  context.addIssue({ code: 'custom', message: parsed.message });
  return z.NEVER;
});
/** A share strictly between 0 and 1, written as "1%" or 0.01. */
const share = z.union([z.number(), z.string()]).transform((value, context) => {
  const match = /^\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(String(value));
  const number = match ? Number(match[1]) / 100 : Number(value);
  if (number > 0 && number < 1) return number;
  context.addIssue({
    code: 'custom',
    message: `"${value}" is not between 0% and 100%, as "1%" or 0.01.`,
  });
  return z.NEVER;
});

/** Chooses the series of one counter: a metric's name and, per label, the exact value or a list of values. */
const selector = z.strictObject({
  metric: z.string().min(1),
  where: z.record(z.string(), z.union([z.string(), z.array(z.string()).min(1)])).default({}),
});
export type Selector = z.output<typeof selector>;

const source = z.strictObject({
  /** Addresses whose Prometheus text is read directly. */
  scrape: z.array(z.url({ protocol: /^https?$/ })).min(1),
});

const metric = z.discriminatedUnion('type', [
  /** bad / total of two counters. */
  z.strictObject({ type: z.literal('ratio'), source, bad: selector, total: selector }),
  /** How often something happened. */
  z.strictObject({ type: z.literal('count'), source, count: selector }),
]);
export type Metric = z.output<typeof metric>;

const guard = z.discriminatedUnion('judge', [
  /** Anytime-valid test of a ratio against a limit: rolls a healthy rollout back with at most its share of the risk. */
  z.strictObject({
    name,
    judge: z.literal('sequential'),
    metric: z.string(),
    limit: share,
    weight: z.number().positive().default(1),
  }),
  /** Breaches at the first increase of a count above `above`. */
  z.strictObject({
    name,
    judge: z.literal('immediate'),
    metric: z.string(),
    above: z.number().min(0).default(0),
  }),
]);
export type Guard = z.output<typeof guard>;

const deadline = duration.optional();
const step = z.union([
  z.strictObject({
    stage: name,
    percentage: percentage.optional(),
    variant: name.optional(),
    users: z.array(z.string().min(1)).optional(),
    /** Time covered by successful checks, at least. */
    hold: duration,
    minTrials: z.int().min(0).default(0),
    deadline,
  }),
  z.strictObject({
    migrate: name,
    action: z.enum(migrationActions),
    batchSize: z.int().min(1).optional(),
    sampleSize: z.int().min(1).optional(),
    deadline,
  }),
  z.strictObject({
    approve: name,
    role: z.enum(['operator', 'approver', 'admin']).default('approver'),
    deadline,
  }),
]);
export type PlanStep = z.output<typeof step>;

export const plan = z
  .strictObject({
    plan: name,
    description: z.string().max(2_000).optional(),
    flag: name,
    /** Of the whole rollout: the probability that a healthy one is rolled back. */
    risk: share.default(0.01),
    checkEvery: duration.default(5_000),
    /** An unanswered command or missing data pages after this. */
    pageAfter: duration.default(120_000),
    metrics: z.record(name, metric).default({}),
    guards: z.array(guard).default([]),
    steps: z.array(step).min(1),
  })
  .superRefine((value, context) => {
    const issue = (path: (string | number)[], message: string) =>
      context.addIssue({ code: 'custom', path, message });
    const needed = { sequential: 'ratio', immediate: 'count' } as const;
    for (const [index, guard] of value.guards.entries()) {
      const found = value.metrics[guard.metric];
      if (!found)
        issue(
          ['guards', index, 'metric'],
          `there is no metric "${guard.metric}"; expected one of ${Object.keys(value.metrics).join(', ') || '(none declared)'}`,
        );
      else if (found.type !== needed[guard.judge])
        issue(
          ['guards', index, 'metric'],
          `a ${guard.judge} guard needs a ${needed[guard.judge]} metric, and "${guard.metric}" is a ${found.type}`,
        );
    }
    const unique = (kind: string, names: readonly string[], path: string) => {
      for (const [index, each] of names.entries())
        if (names.indexOf(each) !== index) issue([path, index], `${kind} "${each}" stands twice`);
    };
    unique(
      'guard',
      value.guards.map(({ name }) => name),
      'guards',
    );
    unique('step', value.steps.map(stepName), 'steps');
    let exposed = 0;
    for (const [index, step] of value.steps.entries()) {
      if (!('stage' in step) || step.percentage === undefined) continue;
      if (step.percentage < exposed)
        issue(
          ['steps', index, 'percentage'],
          'a later stage cannot expose less than an earlier one',
        );
      exposed = step.percentage;
    }
  });
export type Plan = z.output<typeof plan>;

export const stepName = (step: PlanStep): string =>
  'stage' in step
    ? step.stage
    : 'migrate' in step
      ? `${step.migrate}/${step.action}`
      : step.approve;
export const stepKind = (step: PlanStep): 'stage' | 'migrate' | 'approve' =>
  'stage' in step ? 'stage' : 'migrate' in step ? 'migrate' : 'approve';

/** `line` and `column` count from 1. */
export interface PlanProblem {
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly message: string;
}

/** Every problem of the text, each with its line; or the plan. */
export function readPlan(text: string): { plan: Plan } | { problems: readonly PlanProblem[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  if (document.errors.length > 0)
    return {
      problems: document.errors.map((error) => ({
        ...at(error.pos[0]),
        path: '',
        message: error.message.split('\n')[0] ?? error.message,
      })),
    };
  const result = plan.safeParse(document.toJS());
  if (result.success) return { plan: result.data };
  const problems = result.error.issues.flatMap(leaves).map(({ path, message }) => ({
    ...at(offsetOf(document.contents, path)),
    path: path.join('.'),
    message,
  }));
  return { problems: problems.sort((a, b) => a.line - b.line || a.column - b.column) };
}

type Issue = { path: readonly PropertyKey[]; message: string; code?: string };

/** A union reports the branch that came nearest: the one whose problems are fewest. */
function leaves(issue: z.core.$ZodIssue): { path: (string | number)[]; message: string }[] {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      path: [...path, key],
      message: `"${key}" is not known here`,
    }));
  if (issue.code !== 'invalid_union' || issue.errors.length === 0)
    return [{ path, message: issue.message }];
  const nearest = [...issue.errors].sort((a, b) => weight(a) - weight(b))[0] ?? [];
  return nearest.flatMap((inner) => leaves({ ...inner, path: [...issue.path, ...inner.path] }));
}

const weight = (issues: readonly Issue[]): number =>
  issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? 3 : 1), 0);

/** Where the deepest part of the path that exists begins. */
function offsetOf(contents: unknown, path: readonly (string | number)[]): number {
  let node = contents;
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === part);
      if (!pair) return offset;
      offset = isNode(pair.key) ? (pair.key.range?.[0] ?? offset) : offset;
      node = pair.value;
    } else if (isNode(node) && 'items' in node) {
      node = (node.items as unknown[])[Number(part)];
      offset = isNode(node) ? (node.range?.[0] ?? offset) : offset;
    } else return offset;
  }
  return offset;
}
