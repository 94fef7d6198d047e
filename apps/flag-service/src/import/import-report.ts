import type { FlagDefinition } from '@tidegate/contracts';
import type { FlagdProblem } from '@tidegate/evaluation';
import { canonicalJson } from '@tidegate/kernel';

/** A field of a definition that another value comes into. Left out: there was, or is, none. */
export interface Difference {
  readonly field: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/**
 * What came of one flag; in a dry run, what would. `not-expressible`: it was not imported, `problems` say why.
 * `refused`: as any other write would be, with its code.
 */
export interface ImportedFlagReport {
  readonly key: string;
  readonly result: 'created' | 'changed' | 'unchanged' | 'not-expressible' | 'refused';
  readonly problems?: readonly Omit<FlagdProblem, 'flag'>[];
  readonly differences?: readonly Difference[];
  readonly code?: string;
  readonly message?: string;
  /** It is off afterwards. What is off here is never turned on by an import. */
  readonly disabled?: true;
  readonly version?: number;
}

export interface ImportReport {
  readonly environment: string;
  readonly dryRun: boolean;
  /** How many of each result. */
  readonly counts: Readonly<Record<ImportedFlagReport['result'], number>>;
  readonly flags: readonly ImportedFlagReport[];
}

export function importReport(
  environment: string,
  dryRun: boolean,
  flags: readonly ImportedFlagReport[],
): ImportReport {
  const counts = { created: 0, changed: 0, unchanged: 0, 'not-expressible': 0, refused: 0 };
  for (const { result } of flags) counts[result] += 1;
  return { environment, dryRun, counts, flags };
}

/** The flags that are not imported, each with all that stands against it. */
export function notExpressible(problems: readonly FlagdProblem[]): ImportedFlagReport[] {
  const byFlag = Map.groupBy(problems, ({ flag = '' }) => flag);
  return [...byFlag].map(([key, found]) => ({
    key,
    result: 'not-expressible',
    problems: found.map(({ where, what }) => ({ where, what })),
  }));
}

/** Field by field; the same in another order is no difference. */
export function differences(before: FlagDefinition, after: FlagDefinition): Difference[] {
  const fields = new Set([...Object.keys(before), ...Object.keys(after)]) as Set<
    keyof FlagDefinition
  >;
  return [...fields]
    .filter((field) => canonicalJson(before[field] ?? null) !== canonicalJson(after[field] ?? null))
    .map((field) => ({
      field,
      ...(before[field] === undefined ? {} : { before: before[field] }),
      ...(after[field] === undefined ? {} : { after: after[field] }),
    }));
}
