import { AppError } from '@tidegate/kernel';
import { TidegateClient } from './client.loop.ts';
import type { SdkErrorCode } from './errors.ts';
import { FileFlagSource } from './flag-source.file.ts';
import type { TidegateOptions } from './options.ts';
import { reportTo } from './report.ts';
import type { Tidegate } from './tidegate.port.ts';

export interface FileTidegateOptions extends Pick<TidegateOptions, 'staleAfterMs' | 'onError'> {
  /** JSON in the form of `GET …/snapshot`. */
  readonly file: string;
  /** The file is read again so often, besides when the system tells of a change. Default 2 000. */
  readonly rereadEveryMs?: number;
}

/**
 * The same client, fed from a file that is watched, with no server at all: for tests and offline use. Thrown
 * SDK_OPTIONS_INVALID; a file that is not there yet is waited for.
 */
export function createFileTidegate(options: FileTidegateOptions): Tidegate {
  const { file, rereadEveryMs = 2_000, staleAfterMs = 30_000 } = options;
  if (typeof file !== 'string' || file === '') throw invalid('file must not be empty');
  if (!(rereadEveryMs > 0 && staleAfterMs > rereadEveryMs))
    throw invalid('rereadEveryMs must be more than 0 and less than staleAfterMs');
  return new TidegateClient(
    staleAfterMs,
    reportTo(options.onError),
    (sink) => new FileFlagSource({ file, rereadEveryMs }, sink),
  );
}

const invalid = (problem: string): AppError<SdkErrorCode> =>
  new AppError('SDK_OPTIONS_INVALID', `Tidegate cannot be created: ${problem}.`);
