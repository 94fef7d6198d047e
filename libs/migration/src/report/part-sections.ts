import type {
  BatchLine,
  PlanReport,
  ReportChecksums,
  ReportFailures,
  ReportPreserved,
} from '@tidegate/contracts';
import { formatDuration } from '@tidegate/kernel';
import { code, factsOf, type Section, sectionIf, tableOf } from './block.ts';
import { grouped } from './words.ts';

/** What several reports have in common. */
export const failuresSection = (failures: ReportFailures): readonly Section[] =>
  sectionIf(failures.length > 0, 'Failures', () =>
    failures.map(({ code: name, count, examples }) =>
      tableOf(
        ['key', 'why'],
        examples.map(({ key, message }) => [code(key), message]),
        { leftOut: count - examples.length, title: `${name} (${grouped(count)})` },
      ),
    ),
  );

export const invariantsSection = (
  title: string,
  invariants: PlanReport['invariants'],
): readonly Section[] =>
  sectionIf(invariants.length > 0, title, () => [
    tableOf(
      ['invariant', '#looked at', '#broken', 'for example'],
      invariants.map(({ name, checked, broken, examples }) => [
        name,
        grouped(checked),
        grouped(broken),
        code(examples.join(' ')),
      ]),
    ),
  ]);

export const preservedSection = (preserved: ReportPreserved): readonly Section[] =>
  sectionIf(preserved.length > 0, 'What must not change', () =>
    preserved.map(({ name, documents, sum, groups, groupsLeftOut }) =>
      tableOf(
        [name, '#documents', '#sum'],
        [['all', grouped(documents), sum], ...groups.map(groupRow)],
        { leftOut: groupsLeftOut },
      ),
    ),
  );

const groupRow = ({ group, documents, sum }: ReportPreserved[number]['groups'][number]) =>
  [code(group), grouped(documents), sum] as const;

export const checksumsSection = (checksums: ReportChecksums | undefined): readonly Section[] =>
  checksums === undefined
    ? []
    : [
        {
          title: 'Changed documents, against what was written down of them',
          blocks: [
            factsOf([
              ['compared', grouped(checksums.compared)],
              ['as written', grouped(checksums.written)],
              ['edited since', grouped(checksums.edited)],
              ['as before', grouped(checksums.before)],
              ['gone', grouped(checksums.gone)],
            ]),
          ],
        },
      ];

export const batchesSection = (lines: readonly BatchLine[]): readonly Section[] =>
  sectionIf(lines.length > 0, 'Batches', () => [
    tableOf(
      ['#batch', 'first', 'last', '#changed', '#skipped', '#mismatched', '#failed', '#time', 'at'],
      lines.map((line) => [
        line.batches === 1 ? String(line.batch) : `${line.batch}–${line.batch + line.batches - 1}`,
        code(line.first),
        code(line.last),
        grouped(line.changed),
        grouped(line.skipped),
        grouped(line.mismatched),
        grouped(line.failed),
        formatDuration(Math.round(line.tookMs)),
        new Date(line.at).toISOString().slice(0, 19).replace('T', ' ') + 'Z',
      ]),
      { most: 64 },
    ),
  ]);
