import type { CutoverReport, ReportFinding } from '@tidegate/contracts';
import { formatDuration } from '@tidegate/kernel';
import { findingIf } from './findings.ts';
import { documents } from '@tidegate/migration/report';

type Facts = Omit<CutoverReport, 'verdict' | 'findings'>;

/** What is in the way of reading the new form alone. */
export function cutoverFindings(facts: Facts): readonly ReportFinding[] {
  const found = facts.of.flatMap((part) => aboutPart(part, facts));
  const isClear = found.every(({ level }) => level !== 'stop');
  return [
    ...found,
    ...findingIf(
      isClear && facts.flag !== undefined,
      'switch-next',
      () =>
        `Nothing is switched yet: expose ${facts.variant} of the flag ${facts.flag} next, by a plan's stage or with tidegate flag expose ${facts.flag} 100. The way back is exposing 0.`,
    ),
  ];
}

function aboutPart(part: Facts['of'][number], { settledMs }: Facts): readonly ReportFinding[] {
  const { migration, verified, pending, leftOnPurpose } = part;
  const { pendingLater = pending, leftOnPurposeLater = leftOnPurpose } = part;
  const left = pending - leftOnPurpose;
  // One that was left may have been mended meanwhile, while a program wrote another one.
  const more = pendingLater - leftOnPurposeLater - left;
  return [
    ...findingIf(
      left > 0,
      'still-pending',
      () => `${migration}: ${documents(left)} are still pending.`,
    ),
    ...findingIf(
      left <= 0 && more > 0,
      'writers-still-write-old-form',
      () =>
        `${migration}: within ${formatDuration(settledMs)} programs wrote ${documents(more)} in the old form.`,
    ),
    ...findingIf(
      verified === 'not yet',
      'not-verified',
      () =>
        `${migration} is not verified under its present text: tidegate migration run ${migration} --verify.`,
    ),
    ...findingIf(
      leftOnPurpose > 0,
      'left-on-purpose',
      () =>
        `${migration}: in the old form for good, because up fails on them or the database refuses them: ${documents(leftOnPurpose)}.`,
    ),
  ];
}

/** Documents stay as they are, so the flag is all that is to be switched. */
export const switchBackFindings = ({ flag }: { readonly flag: string }): readonly ReportFinding[] =>
  findingIf(
    true,
    'switch-back',
    () =>
      `Nothing is switched yet: take ${flag} back, by hand with tidegate flag expose ${flag} 0.`,
  );
