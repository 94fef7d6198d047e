import { type Cell, markdownOf, type Page, pagesOf } from '@tidegate/migration/report';
import type { Run } from '../run/run.ts';

export type EndedRun = Extract<Run, { endedAt: number }>;

/** What an ended run has found and done, for people. */
export function runMarkdown(run: string, state: EndedRun): string {
  const report = state.status === 'cancelled' ? {} : (state.report ?? {});
  const pages = pagesOf(report, state.work.migration);
  const last = pages.at(-1) ?? pageWithout(state);
  const rows = [...aboutRun(run, state)];
  const whole = {
    ...last,
    sections: [...last.sections, { title: 'Run', blocks: [{ kind: 'facts' as const, rows }] }],
  };
  return [...pages.slice(0, -1), whole].map(markdownOf).join('\n');
}

/** Of a run that ended before there was anything to report. */
const pageWithout = (state: EndedRun): Page => ({
  title: `${state.work.migration}: ${state.work.action}`,
  verdict: 'no-go',
  headline: state.status === 'failed' ? state.message : `The run is ${state.status}.`,
  findings: [],
  sections: [],
});

function* aboutRun(run: string, state: EndedRun): Generator<readonly [string, Cell]> {
  const { startedAt, definitionHash, by } = state.work;
  yield ['run', { code: run }];
  yield ['status', state.status === 'failed' ? `failed (${state.code})` : state.status];
  if (state.status === 'failed') yield ['why', state.message];
  if (state.status === 'failed' && state.reverted)
    yield ['undone', `${state.reverted.changed} documents`];
  if (by !== undefined) yield ['asked for by', { code: by }];
  if (state.status === 'cancelled') yield ['cancelled by', { code: state.by }];
  yield ['started', new Date(startedAt).toISOString()];
  yield ['ended', new Date(state.endedAt).toISOString()];
  yield ["the migration's text", { code: definitionHash }];
}
