import type { DisableFlag, FlagDefinition, PutFlag } from '@tidegate/contracts';
import type { FlagdImport, FlagdProblem, ImportedFlag } from '@tidegate/evaluation';
import { isRejection } from '@tidegate/kernel';
import type { Documents, Outcome } from '@tidegate/store';
import type { ChangeFlag } from '../flag/change-flag.handler.ts';
import { flagDeciderKnowing } from '../flag/flag.ts';
import { flagId } from '../flag/flags.ts';
import { isLiving, type StoredFlag } from '../flag/stored-flag.ts';
import type { FlagKnown } from '../reference/flag-known.handler.ts';
import { differences, type ImportedFlagReport, notExpressible } from './import-report.ts';

export interface ImportParts {
  readonly flags: Pick<Documents<StoredFlag>, 'load'>;
  readonly known: FlagKnown;
  readonly changeFlag: ChangeFlag;
}

/** One import: what is read, flag by flag, and how its commands are made. */
export interface ImportRequest {
  readonly environment: string;
  readonly read: Iterable<FlagdImport>;
  readonly dryRun: boolean;
  /** When and by whom a flag is created that is off. */
  readonly off: { readonly at: number; readonly by: string };
  readonly put: (data: Omit<PutFlag['data'], 'salt'>) => PutFlag;
  readonly disable: (data: DisableFlag['data']) => DisableFlag;
}

export type ImportFlags = (request: ImportRequest) => Promise<ImportedFlagReport[]>;

/**
 * Writes flag by flag, each as any other write and by the same rules; a dry run asks these rules and writes nothing.
 * What fails ends the import: what was written stays, and importing again goes on from there. After each flag others
 * have their turn: an import delays no kill.
 */
export function createImportFlags(parts: ImportParts): ImportFlags {
  return async (request) => {
    const reports: ImportedFlagReport[] = [];
    const problems: FlagdProblem[] = [];
    for (const read of request.read) {
      for (const each of read.flags) reports.push(await importFlag(parts, request, each));
      problems.push(...read.problems);
      await othersTurn();
    }
    return [...reports, ...notExpressible(problems)];
  };
}

const othersTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function importFlag(
  { flags, known, changeFlag }: ImportParts,
  { environment, dryRun, off, put, disable }: ImportRequest,
  { key, definition, isDisabled }: ImportedFlag,
): Promise<ImportedFlagReport> {
  const held: StoredFlag = (await flags.load(flagId(environment, key)))?.state ?? ABSENT;
  const turnsOff = isDisabled && held.status !== 'disabled';
  const written = (expectedVersion: number): PutFlag =>
    put({
      environment,
      key,
      definition,
      expectedVersion,
      reason: REASON,
      ...(isDisabled && !isLiving(held) ? { disabled: { ...off, reason: REASON_OFF } } : {}),
    });
  const command = written(isLiving(held) ? held.version : 0);
  const decision = flagDeciderKnowing(await known(command)).decide(command, held);
  if (isRejection(decision)) return refused(key, decision, held);
  const report = reportOf(key, definition, held, turnsOff);
  if (dryRun) return report;
  if (!turnsOff || !isLiving(held)) return told(report, await changeFlag(command));
  // Off before it is changed: it must not serve for a moment what it was never meant to serve.
  const killed = await changeFlag(disable({ environment, key, reason: REASON_OFF }));
  if (killed.answer.outcome === 'refused') return told(report, killed);
  return told(report, await changeFlag(written(killed.version)));
}

const told = (report: ImportedFlagReport, { answer, version, state }: Outcome<StoredFlag>) =>
  answer.outcome === 'refused' ? refused(report.key, answer, state) : { ...report, version };

const refused = (
  key: string,
  { code, message }: { readonly code: string; readonly message: string },
  { status }: StoredFlag,
): ImportedFlagReport => ({
  key,
  result: 'refused',
  code,
  message,
  ...(status === 'disabled' ? { disabled: true } : {}),
});

const ABSENT: StoredFlag = { status: 'absent', version: 0 };
const REASON = 'imported from flagd';
const REASON_OFF = 'off in flagd when it was imported';

function reportOf(
  key: string,
  definition: FlagDefinition,
  held: StoredFlag,
  turnsOff: boolean,
): ImportedFlagReport {
  const off = turnsOff || held.status === 'disabled' ? { disabled: true as const } : {};
  if (!isLiving(held)) return { key, result: 'created', ...off };
  const found = differences(held.definition, definition);
  if (found.length === 0 && !turnsOff) return { key, result: 'unchanged', ...off };
  return { key, result: 'changed', differences: found, ...off };
}
