import { facts, toned } from '../output/output.ts';

/** A run as the runner answers it. */
export interface ShownRun {
  readonly run: string;
  readonly migration: string;
  readonly action: string;
  readonly status: string;
  readonly counts: { readonly matched: number; readonly changed: number; readonly skipped: number };
  readonly code?: string;
  readonly message?: string;
  readonly report?: Record<string, unknown>;
  readonly waitsFor?: { readonly message: string };
  readonly by?: string;
  readonly reason?: string;
}

export const pathOf = (run: string): string => `/v1/runs/${encodeURIComponent(run)}`;

/** Why nobody works on it; empty if somebody does. */
export function heldUp({ status, waitsFor, by = '', reason = '' }: ShownRun): string {
  if (waitsFor) return `waits: ${waitsFor.message}`;
  return status === 'paused' ? `is paused by ${by}: ${reason}` : '';
}

const CHANGING: ReadonlySet<string> = new Set(['execute', 'revert']);

export const humanRun = (run: ShownRun): string =>
  facts([
    ['run', run.run],
    ['migration', `${run.migration} (${run.action})`],
    ['status', toned(run.status)],
    ['', heldUp(run)],
    ...(CHANGING.has(run.action) ? ([['changed', run.counts.changed]] as const) : []),
    ...Object.entries(run.report ?? {}).map(([name, value]) => [name, shown(value)] as const),
  ]);

/** A value of a report: text as it is, each item of a list on a line of its own. */
function shown(value: unknown): string {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return JSON.stringify(value);
  return value.length === 0 ? 'none' : value.map((each) => `\n  ${JSON.stringify(each)}`).join('');
}
