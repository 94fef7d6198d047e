import type { ReportFinding, VerifyReport } from '@tidegate/contracts';
import { findingIf } from './findings.ts';
import { documents, firstOf, grouped } from '@tidegate/migration/report';

type Facts = Omit<VerifyReport, 'verdict' | 'findings'>;

/** What is wrong with migrated documents, and what is good to know. */
export function verifyFindings(facts: Facts): readonly ReportFinding[] {
  const { matched, pending, leftOnPurpose, checked, broken, invariants } = facts;
  const left = pending - leftOnPurpose;
  const names = invariants.filter((each) => each.broken > 0).map(({ name }) => name);
  const keys = invariants.flatMap(({ examples }) => examples);
  return [
    ...findingIf(
      left > 0,
      'still-pending',
      () => `${grouped(left)} of ${documents(matched)} are still pending.`,
    ),
    ...findingIf(
      broken > 0,
      'invariant-broken',
      () =>
        `${grouped(broken)} of ${grouped(checked)} ${checked < matched ? 'samples' : 'documents'} break an invariant (${names.join(', ')}): ${firstOf(keys, broken)}.`,
    ),
    ...findingIf(
      leftOnPurpose > 0,
      'left-on-purpose',
      () =>
        `Left unchanged, because up fails on them or the database refuses them: ${documents(leftOnPurpose)}.`,
    ),
    ...findingIf(
      checked < matched,
      'checked-a-sample',
      () =>
        `Invariants were checked on ${grouped(checked)} of ${documents(matched)}, spread over all keys.`,
    ),
    ...aboutChecksums(facts),
  ];
}

function aboutChecksums({ checksums }: Facts): readonly ReportFinding[] {
  if (!checksums)
    return findingIf(
      true,
      'not-in-journal',
      () => 'Nothing was written down of the changes: documents were not compared with it.',
    );
  const { compared, edited, before, gone } = checksums;
  return [
    ...findingIf(
      before > 0,
      'as-before',
      () =>
        `${grouped(before)} of ${documents(compared)} that were changed are again as they were before.`,
    ),
    ...findingIf(
      gone > 0,
      'documents-gone',
      () => `${grouped(gone)} of ${documents(compared)} that were changed are gone.`,
    ),
    ...findingIf(
      edited > 0,
      'edited-since',
      () =>
        `${grouped(edited)} of ${documents(compared)} that were changed have been edited since.`,
    ),
  ];
}
