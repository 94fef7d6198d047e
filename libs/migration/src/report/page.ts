import { type MigrationReport, migrationReport } from '@tidegate/contracts';
import type { Page } from './block.ts';
import {
  backupPage,
  cleanupPage,
  cutoverPage,
  executePage,
  revertPage,
  schemaPage,
  verifyPage,
} from './ended-page.ts';
import { planPage } from './plan-page.ts';

export type { Block, Cell, Column, Page, Section } from './block.ts';

/** What a report says, in the order in which it is read, for whatever draws it. */
const pageOf = (report: MigrationReport, migration: string): Page => ({
  title: `${migration}: ${report.action === 'plan' ? 'dry run' : report.action}`,
  verdict: report.verdict,
  findings: report.findings,
  ...bodyOf(report),
});

/** Of a run's report, and where it failed and was undone, that of undoing; none of what this version does not know. */
export const pagesOf = (report: Readonly<Record<string, unknown>>, migration: string): Page[] =>
  [report, report['revert']].flatMap((each) => {
    const known = migrationReport.safeParse(each);
    return known.success ? [pageOf(known.data, migration)] : [];
  });

function bodyOf(report: MigrationReport): Pick<Page, 'headline' | 'sections'> {
  if (report.about === 'schema') return schemaPage(report);
  if (report.about === 'cutover') return cutoverPage(report);
  switch (report.action) {
    case 'plan':
      return planPage(report);
    case 'verify':
      return verifyPage(report);
    case 'execute':
      return executePage(report);
    case 'revert':
      return revertPage(report);
    case 'backup':
      return backupPage(report);
    case 'cleanup':
      return cleanupPage(report);
  }
}
