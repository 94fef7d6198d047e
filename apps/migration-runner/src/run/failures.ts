import type { FailedDocument } from '@tidegate/contracts';
import { AppError, isAppError, messageOf, shortened } from '@tidegate/kernel';
import type { MigrationErrorCode } from '../errors.ts';
import type { Work } from './run.ts';

/** Without one of the user's; more than this are not listed in a run. */
const DEFAULT_MAX_ERRORS = 100;
const NAMED = 3;
/** Of a run's message, which is in each of its saves. */
const LONGEST = 2_000;

type Policy = Pick<Work, 'onError' | 'maxErrors' | 'failures'>;

export const keyText = ({ key }: Pick<FailedDocument, 'key'>): string => JSON.stringify(key);

/** Those that the run has listed: they are left as they are also when a later sweep comes by them. */
export const listedIn = ({ failures }: Pick<Work, 'failures'>): ReadonlySet<string> =>
  new Set(failures.map(keyText));

/** What these failures do to the run: the error that stops it, or undefined where it goes on without these documents. */
export function stopFor(
  { onError = 'stop', maxErrors = DEFAULT_MAX_ERRORS, failures }: Policy,
  more: readonly FailedDocument[],
): AppError | undefined {
  const [first] = more;
  if (!first) return undefined;
  if (onError === 'stop') return new AppError(first.code, first.message);
  const count = failures.length + more.length;
  if (count <= maxErrors) return undefined;
  const named = more.slice(0, NAMED).map(({ message }) => message);
  return new AppError(
    'MIGRATION_TOO_MANY_ERRORS',
    `${count} documents failed, and at most ${maxErrors} may: ${named.join(' ')}`,
  );
}

/** What a run fails with. */
export const failureOf = (error: unknown): { readonly code: string; readonly message: string } => ({
  code: isAppError(error) ? error.code : ('MIGRATION_FAILED' satisfies MigrationErrorCode),
  message: shortened(messageOf(error), LONGEST),
});
