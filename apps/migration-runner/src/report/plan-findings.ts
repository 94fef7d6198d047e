import type { PlanReport, ReportFinding } from '@tidegate/contracts';
import type { Migration } from '@tidegate/migration';
import type { Choices } from './choices.ts';
import { findingIf } from './findings.ts';
import { rowName } from './tally.ts';
import { bytes, documents, firstOf, grouped } from '@tidegate/migration/report';

type Facts = Omit<PlanReport, 'verdict' | 'findings'>;

const NEARLY = 0.8;
const DEFAULT_MAX_LAG_MS = 5_000;
const DEFAULT_MAX_ERRORS = 100;

/** What whoever approves the run must know. */
export const planFindings = (
  migration: Migration,
  choices: Choices,
  facts: Facts,
): readonly ReportFinding[] => [
  ...aboutDocuments(choices, facts),
  ...aboutSize(facts),
  ...aboutWriters(facts),
  ...aboutWayBack(migration, choices),
  ...aboutServer(migration, choices, facts),
  ...aboutReport(facts),
];

function aboutDocuments(
  { onError = 'stop', maxErrors = DEFAULT_MAX_ERRORS }: Choices,
  facts: Facts,
) {
  const { matched, pending, failed, invariants } = facts;
  const isSkipped = onError !== 'stop' && failed <= maxErrors;
  const how = facts.failures.map(({ code, count }) => `${code} (${grouped(count)})`).join(', ');
  return [
    ...findingIf(matched === 0, 'nothing-matched', () => 'The filter takes no document at all.'),
    ...findingIf(matched > 0 && pending === 0, 'nothing-to-do', () => 'Nothing is pending.'),
    ...findingIf(failed > 0 && !isSkipped, 'documents-fail', () =>
      onError === 'stop'
        ? `up fails on ${documents(failed)}, and the run would stop at the first of them: ${how}.`
        : `up fails on ${documents(failed)}; at most ${grouped(maxErrors)} may be left out: ${how}.`,
    ),
    ...findingIf(
      failed > 0 && isSkipped,
      'documents-skipped',
      () => `up fails on ${documents(failed)}, which would be left as they are and listed: ${how}.`,
    ),
    ...invariants.flatMap(({ name, checked, broken, examples }) =>
      findingIf(
        broken > 0,
        'invariant-broken-now',
        () =>
          `${name} does not hold for ${grouped(broken)} of ${documents(checked)} as they are now: ${firstOf(examples, broken)}.`,
      ),
    ),
  ];
}

/** @param missing fields that `up` writes and no row has */
export const aboutColumns = (
  { id, collection }: Pick<Migration, 'id' | 'collection'>,
  missing: readonly string[],
): readonly ReportFinding[] =>
  findingIf(
    missing.length > 0,
    'column-missing',
    () =>
      `up of ${id} writes ${missing.map((name) => rowName(name)).join(', ')}: ${collection} has no such column.`,
  );

function aboutSize({ size }: Facts) {
  const { limitBytes = Infinity, overLimit, largestAfter } = size;
  const largest = largestAfter?.bytes ?? 0;
  return [
    ...findingIf(
      overLimit > 0,
      'documents-too-large',
      () =>
        `${documents(overLimit)} would be larger than the ${bytes(limitBytes)} that the server takes; the largest, ${largestAfter?.key}, ${bytes(largest)}.`,
    ),
    ...findingIf(
      overLimit === 0 && largest > NEARLY * limitBytes,
      'documents-nearly-too-large',
      () =>
        `${largestAfter?.key} would have ${bytes(largest)}; the server takes at most ${bytes(limitBytes)}.`,
    ),
  ];
}

function aboutWriters({ writers, pending }: Facts) {
  const { arrived, arrivedPending, pendingLater } = writers;
  const more = Math.max(arrivedPending, pendingLater - pending);
  return [
    ...findingIf(
      more > 0,
      'writers-write-old-form',
      () =>
        `While this was read, programs wrote ${documents(more)} in the old form: they make new work while the run goes on. ` +
        'Deploy those that write the new form first.',
    ),
    ...findingIf(
      more <= 0 && arrived === 0 && pending > 0,
      'writers-not-seen',
      () =>
        'Nothing new was written while this was read: whether programs write the new form already is not known.',
    ),
  ];
}

function aboutWayBack({ down }: Migration, { backup = 'before-images' }: Choices) {
  const byImages = backup === 'before-images';
  return [
    ...findingIf(
      !byImages && !down,
      'cannot-be-undone',
      () => 'The run keeps no before-images and the migration has no down: it cannot be undone.',
    ),
    ...findingIf(
      !byImages && down !== undefined,
      'undone-by-down-only',
      () => 'The run keeps no before-images: only down undoes it.',
    ),
  ];
}

function aboutServer({ unsafe }: Migration, { flow = {} }: Choices, facts: Facts) {
  const { replicationLagMs = 0, freeBytes = Infinity, waiting = 0 } = facts.readiness;
  const maxLagMs = flow.maxLagMs ?? DEFAULT_MAX_LAG_MS;
  const growth = Math.max(0, facts.size.bytesAfter - facts.size.bytesBefore);
  const reason = unsafe?.['unindexed-filter'];
  const hasNone = facts.index === 'none' && facts.pending > 0;
  return [
    ...findingIf(
      hasNone && reason === undefined,
      'no-index',
      () => 'No index serves what is pending: each sweep reads every document.',
    ),
    ...findingIf(
      hasNone && reason !== undefined,
      'no-index-on-purpose',
      () => `No index serves what is pending; the migration says why: ${reason}`,
    ),
    ...findingIf(
      replicationLagMs > maxLagMs,
      'replica-behind',
      () =>
        `A replica is ${grouped(Math.round(replicationLagMs / 1_000))} s behind: the run would wait at once.`,
    ),
    ...findingIf(
      freeBytes < 2 * growth,
      'disk-short',
      () => `The documents grow by ${bytes(growth)}, and the server has ${bytes(freeBytes)} left.`,
    ),
    ...findingIf(
      waiting > 0,
      'locks-waited-for',
      () => `${grouped(waiting)} operations wait for a lock now.`,
    ),
  ];
}

const aboutReport = ({ preserved, groupsLeftOut, mappingLeftOut, matched }: Facts) => [
  ...preserved.flatMap(({ name, documents: read }) =>
    findingIf(
      read < matched,
      'preserved-unreadable',
      () => `${name} is known of ${grouped(read)} of ${documents(matched)}.`,
    ),
  ),
  ...findingIf(
    groupsLeftOut + mappingLeftOut > 0,
    'rows-left-out',
    () =>
      `More groups than a report can list: ${documents(groupsLeftOut)} in other groups, ${documents(mappingLeftOut)} in other rows of the mapping.`,
  ),
];
