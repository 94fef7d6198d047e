import { isDeepStrictEqual } from 'node:util';
import { AppError } from '@tidegate/kernel';
import type { SdkErrorCode } from '../errors.ts';
import { type DualReadOptions, readModes } from './dual-read.port.ts';

const DEFAULTS = {
  fallback: 'off',
  compare: 'shadow',
  same: isDeepStrictEqual,
  mostSamplesPerMinute: 60,
  mostAtOnce: 10,
  timeoutMs: 5_000,
} as const;

export type DualReadSettings<A extends readonly unknown[], R> = DualReadOptions<A, R> &
  Required<Pick<DualReadOptions<A, R>, keyof typeof DEFAULTS>>;

/** With every default filled in. Thrown SDK_OPTIONS_INVALID: all problems in one message. */
export function settingsOf<A extends readonly unknown[], R>(
  options: DualReadOptions<A, R>,
): DualReadSettings<A, R> {
  const settings = { ...DEFAULTS, ...options };
  const problems = problemsOf(settings);
  if (problems.length > 0)
    throw new AppError<SdkErrorCode>(
      'SDK_OPTIONS_INVALID',
      `The dual read cannot be made: ${problems.join('; ')}.`,
    );
  return settings;
}

function problemsOf<A extends readonly unknown[], R>(settings: DualReadSettings<A, R>): string[] {
  const { fallback, compare } = settings;
  const problems: string[] = [];
  for (const field of ['name', 'flag'] as const)
    if (typeof settings[field] !== 'string' || settings[field].trim() === '')
      problems.push(`${field} must not be empty`);
  for (const field of ['old', 'new', 'same'] as const)
    if (typeof settings[field] !== 'function') problems.push(`${field} must be a function`);
  if (!readModes.includes(fallback))
    problems.push(`fallback must be one of ${readModes.join(', ')}, not "${fallback}"`);
  if (compare !== 'shadow' && compare !== 'after')
    problems.push(`compare must be shadow or after, not "${String(compare)}"`);
  for (const field of ['mostSamplesPerMinute', 'mostAtOnce', 'timeoutMs'] as const)
    if (!(settings[field] > 0 && settings[field] < 2 ** 31))
      problems.push(`${field} must be a number above 0`);
  return problems;
}
