import type {
  BackupReport,
  CleanupReport,
  CutoverReport,
  ExecuteReport,
  RevertReport,
  SchemaReport,
  VerifyReport,
} from '@tidegate/contracts';
import { formatDuration } from '@tidegate/kernel';
import { code, factsOf, type Page, sectionIf, tableOf } from './block.ts';
import {
  batchesSection,
  checksumsSection,
  failuresSection,
  invariantsSection,
  preservedSection,
} from './part-sections.ts';
import { bytes, documents, grouped } from './words.ts';

type Body = Pick<Page, 'headline' | 'sections'>;
const counted = (count: number | undefined): string =>
  count === undefined ? 'could not be counted' : grouped(count);
const time = (ms: number): string => formatDuration(Math.round(ms));

export function verifyPage(report: VerifyReport): Body {
  const { verdict, matched, pending, checked, mismatches, mismatchesLeftOut } = report;
  const looked =
    checked === matched ? 'every one was looked at' : `${grouped(checked)} were looked at`;
  return {
    headline:
      verdict === 'no-go'
        ? `Not verified: ${grouped(pending)} of ${documents(matched)} pending; ${looked}.`
        : `Verified: ${grouped(pending)} of ${documents(matched)} pending; ${looked}.`,
    sections: [
      ...sectionIf(mismatches.length > 0, 'Mismatches', () => [
        tableOf(
          ['key', 'what is wrong'],
          mismatches.map(({ key, problem }) => [code(key), problem]),
          { leftOut: mismatchesLeftOut },
        ),
      ]),
      ...invariantsSection('Invariants', report.invariants),
      ...checksumsSection(report.checksums),
      ...preservedSection(report.preserved),
    ],
  };
}

export function executePage(report: ExecuteReport): Body {
  const { changed, failed, tookMs, workedMs, documentsPerSecond, sweeps, skipped } = report;
  const rate = documentsPerSecond === undefined ? '' : ` (${grouped(documentsPerSecond)} a second)`;
  const left = failed === 0 ? '' : `; ${grouped(failed)} failed and were left as they are`;
  return {
    headline: `${documents(changed)} changed in ${time(tookMs)}${rate}${left}.`,
    sections: [
      ...failuresSection(report.failures),
      {
        title: 'Work',
        blocks: [
          factsOf([
            ['matched', counted(report.matched)],
            ['still pending', counted(report.pending)],
            ['changed', grouped(changed)],
            ['unchanged', grouped(skipped)],
            ['changed by others meanwhile', grouped(report.mismatched)],
            ['sweeps', grouped(sweeps)],
            ['batches', grouped(report.batches)],
            ['time', `${time(workedMs)} of ${time(tookMs)} in batches`],
          ]),
        ],
      },
      ...batchesSection(report.lines),
      ...sectionIf(report.rollback.length > 0, 'How to undo it', () => [
        { kind: 'lines', lines: report.rollback },
      ]),
    ],
  };
}

export function revertPage(report: RevertReport): Body {
  const { restored, unchanged, gone, listed, listedLeftOut, tookMs } = report;
  const left = listed.length + listedLeftOut;
  return {
    headline:
      `${documents(restored)} undone in ${time(tookMs)}` +
      (left === 0 ? '.' : `; ${grouped(left)} could not be.`),
    sections: [
      ...sectionIf(listed.length > 0, 'Could not be undone', () => [
        tableOf(
          ['key', 'why'],
          listed.map(({ key, reason }) => [code(key), reason]),
          { leftOut: listedLeftOut },
        ),
      ]),
      {
        title: 'Work',
        blocks: [
          factsOf([
            ['as before again', grouped(restored)],
            ['as before already', grouped(unchanged)],
            ['gone', grouped(gone)],
            ['batches', grouped(report.batches)],
          ]),
        ],
      },
      ...batchesSection(report.lines),
    ],
  };
}

export function backupPage({
  kind,
  documents: kept,
  bytes: used,
  limitBytes,
  snapshot,
  tookMs,
}: BackupReport): Body {
  const size =
    used === undefined
      ? ''
      : ` The way back of the migration has ${bytes(used)}${limitBytes === undefined ? '' : ` of at most ${bytes(limitBytes)}`}.`;
  return {
    headline:
      kind === 'snapshot'
        ? `The snapshot ${snapshot ?? ''} was made in ${time(tookMs)}.`
        : `${documents(kept ?? 0)} kept as they are, in ${time(tookMs)}.${size}`,
    sections: [],
  };
}

export const cleanupPage = ({ bytes: forgotten }: CleanupReport): Body => ({
  headline: `The way back is given up: ${bytes(forgotten)} of before-images are forgotten.`,
  sections: [],
});

export function schemaPage({ action, server, wanted, missing }: SchemaReport): Body {
  const headlines = {
    plan: `${grouped(missing.length)} of ${grouped(wanted.length)} are not there yet.`,
    execute: missing.length === 0 ? 'All of it is there.' : 'Not all of it is there.',
    verify: missing.length === 0 ? 'All of it is there.' : 'Not all of it is there.',
    revert: 'What the migration built is taken away.',
  };
  return {
    headline: headlines[action],
    sections: [
      ...sectionIf(missing.length > 0 && action !== 'revert', 'Not there', () => [
        { kind: 'lines', lines: missing },
      ]),
      {
        title: 'Asked for',
        blocks: [factsOf([['server', server]]), { kind: 'lines', lines: wanted }],
      },
    ],
  };
}

export function cutoverPage({ action, verdict, of, settledMs }: CutoverReport): Body {
  if (action === 'revert')
    return { headline: 'The old form is to be read again; no document changes.', sections: [] };
  const settled = settledMs === 0 ? '' : `, and again after ${time(settledMs)}`;
  return {
    headline:
      verdict === 'no-go'
        ? 'The new form alone may not be read yet.'
        : 'The new form alone may be read.',
    sections: [
      {
        title: `Counted${settled}`,
        blocks: [
          tableOf(
            ['migration', 'verified by', '#pending', '#later', '#left on purpose'],
            of.map(({ migration, verified, pending, pendingLater, leftOnPurpose }) => [
              migration,
              verified ?? '',
              grouped(pending),
              pendingLater === undefined ? '' : grouped(pendingLater),
              grouped(leftOnPurpose),
            ]),
          ),
        ],
      },
    ],
  };
}
