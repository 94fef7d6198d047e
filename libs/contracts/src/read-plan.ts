import { messageOf } from '@tidegate/kernel';
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { contradictions } from './plan-rules.ts';
import type { PlanIssue } from './plan-values.ts';
import { plan, type Plan } from './plan.ts';

/** `line` and `column` count from 1; `path` is like `steps.0.hold`; `message` says what was expected. */
export interface PlanProblem {
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly message: string;
}

/** Longer plans are refused: every version is kept, and sent as one message. */
export const MAX_PLAN_CHARACTERS = 65_536;

/** The plan, or every problem of its YAML text, in order of lines. */
export function readPlan(text: string): { plan: Plan } | { problems: readonly PlanProblem[] } {
  if (text.length > MAX_PLAN_CHARACTERS)
    return problem(
      `a plan of ${text.length} characters; expected at most ${MAX_PLAN_CHARACTERS}`,
      MAX_PLAN_CHARACTERS,
      text,
    );
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length > 0)
    return {
      problems: document.errors.map(({ pos, message }) => yamlProblem(lines, pos[0], message)),
    };
  const value = valueOf(document);
  if ('failed' in value) return { problems: [yamlProblem(lines, 0, value.failed)] };
  const result = plan.safeParse(value.value);
  if (result.success) return { plan: result.data };
  const issues = [...result.error.issues.flatMap(leaves), ...contradictions(value.value)];
  const problems = issues.map(({ path, message }) => ({
    ...at(lines, offsetOf(document.contents, path)),
    path: path.join('.'),
    message,
  }));
  return { problems: once(problems).sort((a, b) => a.line - b.line || a.column - b.column) };
}

const problem = (message: string, offset: number, text: string) => ({
  problems: [{ line: text.slice(0, offset).split('\n').length, column: 1, path: '', message }],
});

function at(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

const yamlProblem = (lines: LineCounter, offset: number, message: string): PlanProblem => ({
  ...at(lines, offset),
  path: '',
  message: (message.split('\n')[0] ?? message).replace(/ at line \d+, column \d+:?$/, ''),
});

/** Aliases that unfold without end are refused by the parser, as an error. */
function valueOf(document: Document): { value: unknown } | { failed: string } {
  try {
    return { value: document.toJS() as unknown };
  } catch (error) {
    return { failed: messageOf(error) };
  }
}

/** The schema reports a contradiction as well where the rest is well formed. */
const once = (problems: readonly PlanProblem[]): PlanProblem[] => [
  ...new Map(problems.map((each) => [`${each.path}\n${each.message}`, each])).values(),
];

/** What is no longer a field, and what says the same now. */
const RETIRED: Readonly<Record<string, string>> = {
  minTrials:
    '"minTrials" is not known any more; say with "detect" of a sequential guard which regression must be seen before a stage is left',
};

function leaves(issue: z.core.$ZodIssue): PlanIssue[] {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: [...path, key],
        message: RETIRED[key] ?? `"${key}" is not known here`,
      }));
    case 'invalid_union': {
      const nearest = nearestOf(issue.errors);
      if (!nearest) break;
      return nearest.flatMap((inner) => leaves({ ...inner, path: [...issue.path, ...inner.path] }));
    }
    default:
      break;
  }
  return [{ path, message: plain(issue.message) }];
}

const plain = (message: string): string =>
  message
    .replace(/^Invalid (?:input|option): /, '')
    .replace(/^(.*), received undefined$/, 'is missing; $1');

/** Of a union, the branch that was meant: the one with the fewest problems, where an unknown field weighs most. */
const nearestOf = (branches: readonly (readonly z.core.$ZodIssue[])[]) =>
  [...branches].sort((a, b) => weightOf(a) - weightOf(b))[0];

const weightOf = (issues: readonly z.core.$ZodIssue[]): number =>
  issues.reduce(
    (sum, issue) => sum + (issue.code === 'unrecognized_keys' ? 1 + issue.keys.length : 1),
    0,
  );

/** Where the deepest part of the path that exists begins. */
function offsetOf(contents: unknown, path: readonly (string | number)[]): number {
  let node = contents;
  let offset = startOf(node) ?? 0;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(
        ({ key }) => isScalar(key) && String(key.value) === String(part),
      );
      if (!pair) return offset;
      offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isNode(node) && 'items' in node) {
      node = (node.items as unknown[])[Number(part)];
      offset = startOf(node) ?? offset;
    } else return offset;
  }
  return offset;
}

const startOf = (node: unknown): number | undefined => (isNode(node) ? node.range?.[0] : undefined);
