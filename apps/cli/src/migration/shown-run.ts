import { pagesOf } from '@tidegate/migration/report';
import { facts, toned } from '../output/output.ts';
import { reportView } from './report-view.ts';
import type { Going } from './progress.ts';

/** A run as the runner answers it. */
export interface ShownRun extends Going {
  readonly counts: Going['counts'] & { readonly changed: number; readonly skipped: number };
  readonly code?: string;
  readonly message?: string;
  readonly report?: Record<string, unknown>;
}

export const pathOf = (run: string): string => `/v1/runs/${encodeURIComponent(run)}`;

/** Why nothing is written for now; empty if it is. */
export function heldUp({ status, waitsFor, throttled, by = '', reason = '' }: ShownRun): string {
  if (status === 'paused') return `is paused by ${by}: ${reason}`;
  const message = status === 'running' ? (waitsFor ?? throttled)?.message : undefined;
  return message === undefined ? '' : `waits: ${message}`;
}

const CHANGING: ReadonlySet<string> = new Set(['execute', 'revert']);

/** How a run stands, and what it has found. */
export const humanRun = (run: ShownRun): string =>
  [
    facts([
      ['run', run.run],
      ['migration', `${run.migration} (${run.action})`],
      ['status', toned(run.status)],
      ['', heldUp(run)],
      ['why', run.code === undefined ? undefined : `${run.message ?? ''} (${run.code})`],
      ...(CHANGING.has(run.action) ? ([['changed', run.counts.changed]] as const) : []),
    ]),
    ...humanReport(run),
  ].join('\n');

/** What a run has found; a report of a version that this program does not know is shown as it is. */
export function humanReport({
  migration,
  report,
}: Pick<ShownRun, 'migration' | 'report'>): string[] {
  if (report === undefined) return [];
  const pages = pagesOf(report, migration);
  if (pages.length === 0) return ['', JSON.stringify(report, null, 2)];
  return pages.flatMap((page) => ['', reportView(page)]);
}
