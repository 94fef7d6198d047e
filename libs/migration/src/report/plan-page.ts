import type { PlanReport, ReportPreserved } from '@tidegate/contracts';
import { formatDuration } from '@tidegate/kernel';
import { asJson, code, factsOf, type Page, type Section, sectionIf, tableOf } from './block.ts';
import { failuresSection, invariantsSection, preservedSection } from './part-sections.ts';
import { bytes, documents, grouped } from './words.ts';

/** A dry run, for whoever approves the real one. */
export const planPage = (report: PlanReport): Pick<Page, 'headline' | 'sections'> => ({
  headline: planHeadline(report),
  sections: [
    ...failuresSection(report.failures),
    ...changesSection(report),
    ...sectionIf(report.mapping.length > 0, 'What becomes of what', () => [
      tableOf(
        ['from', 'to', '#documents'],
        report.mapping.map(({ from, to, count }) => [code(from), code(to), grouped(count)]),
        { leftOut: report.mappingLeftOut },
      ),
    ]),
    ...sectionIf(report.groups.length > 0, 'By group', () => [
      tableOf(
        ['group', '#pending', '#would change', '#fail'],
        report.groups.map(({ group, pending, wouldChange, failed }) => [
          code(group),
          grouped(pending),
          grouped(wouldChange),
          grouped(failed),
        ]),
        { leftOut: report.groupsLeftOut },
      ),
    ]),
    ...samplesSection(report),
    ...invariantsSection('Invariants, of documents as they are now', report.invariants),
    ...preservedSection(report.preserved satisfies ReportPreserved),
    ...serverSection(report),
    ...sectionIf(report.rollback.length > 0, 'How to undo it', () => [
      { kind: 'lines', lines: report.rollback },
    ]),
  ],
});

function planHeadline(report: PlanReport): string {
  const { matched, pending, wouldChange, failed, time, rollback } = report;
  if (matched === 0) return 'The migration is about no document at all.';
  if (pending === 0)
    return `Nothing is pending: ${documents(matched)} are in the new form already.`;
  const about = time.likelyMs === undefined ? '' : `, in about ${roundly(time.likelyMs)}`;
  const fails = failed === 0 ? '' : `; ${grouped(failed)} ${failed === 1 ? 'fails' : 'fail'}`;
  return `${grouped(wouldChange)} of ${documents(matched)} would change${about}${fails}. ${wayBack(rollback)}`;
}

const wayBack = (rollback: readonly string[]): string =>
  rollback.length > 0 ? 'It can be undone.' : 'It cannot be undone.';

const roundly = (ms: number): string => (ms < 1_000 ? 'a second' : formatDuration(ms));

const changesSection = ({ fields, fieldsLeftOut }: PlanReport): readonly Section[] =>
  sectionIf(Object.keys(fields).length > 0, 'What changes', () => [
    tableOf(
      ['path', '#documents'],
      Object.entries(fields).map(([path, count]) => [code(path), grouped(count)]),
      { leftOut: fieldsLeftOut },
    ),
  ]);

const samplesSection = ({ samples }: PlanReport): readonly Section[] =>
  sectionIf(samples.length > 0, 'Samples', () => [
    tableOf(['key', 'path', 'before', 'after'], samples.flatMap(sampleRows), { most: 40 }),
  ]);

/** The key stands in the first row of each sample. */
const sampleRows = ({ key, changes, changesLeftOut }: PlanReport['samples'][number]) => [
  ...changes.map(({ path, before, after }, index) => [
    index === 0 ? code(key) : '',
    code(path),
    asJson(before),
    asJson(after),
  ]),
  ...(changesLeftOut > 0 ? [['', `${grouped(changesLeftOut)} more`, '', '']] : []),
];

function serverSection(report: PlanReport): readonly Section[] {
  const { server, index, readiness, size, time, writers } = report;
  const { replicationLagMs, load, freeBytes, waiting, detail } = readiness;
  const seconds = (ms: number): string => formatDuration(Math.round(ms));
  const arrived =
    writers.arrived === 0
      ? 'nothing was written while this was read'
      : `${grouped(writers.arrived)} new documents while this was read, ${grouped(writers.arrivedPending)} of them in the old form`;
  return [
    {
      title: 'Server, time and size',
      blocks: [
        factsOf([
          ['server', server],
          ['read by', index === 'none' ? 'no index: every document is read' : code(index)],
          [
            'replica behind',
            replicationLagMs === undefined ? undefined : seconds(replicationLagMs),
          ],
          ['load', load === undefined ? undefined : grouped(load)],
          ['waiting for locks', waiting === undefined ? undefined : grouped(waiting)],
          ['free', freeBytes === undefined ? undefined : bytes(freeBytes)],
          ['', detail.join('; ')],
          ['writers', arrived],
          [
            'time',
            `${seconds(time.readMs)} to read and ${seconds(time.transformMs)} to transform ${documents(time.documents)}`,
          ],
          ['estimate', time.likelyMs === undefined ? undefined : time.assumes],
          ['size', size.documents === 0 ? undefined : sizeWords(size)],
          ['largest', largestWords(size)],
        ]),
      ],
    },
  ];
}

function sizeWords({ documents: count, bytesBefore, bytesAfter }: PlanReport['size']): string {
  const each = (bytesAfter - bytesBefore) / count;
  const more = each >= 0 ? 'more' : 'less';
  return `${bytes(bytesBefore)} → ${bytes(bytesAfter)}, ${bytes(Math.round(Math.abs(each)))} ${more} a document`;
}

function largestWords({ largestBefore, largestAfter, limitBytes }: PlanReport['size']) {
  if (!largestBefore || !largestAfter) return undefined;
  const limit = limitBytes === undefined ? '' : `, of at most ${bytes(limitBytes)}`;
  return `${bytes(largestBefore.bytes)} → ${bytes(largestAfter.bytes)} (${largestAfter.key})${limit}`;
}
