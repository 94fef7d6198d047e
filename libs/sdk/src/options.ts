import { AppError } from '@tidegate/kernel';
import { name } from '@tidegate/contracts';
import type { SdkErrorCode } from './errors.ts';

export interface TidegateOptions {
  /** Of flag-service, e.g. `https://flags.example.com`. */
  readonly url: string;
  readonly environment: string;
  /** An SDK key of that environment. */
  readonly key: string;
  /** What this program is called where one looks who has applied a change. Default `unnamed`. */
  readonly application?: string;
  /** This process among those of the application. Default: host, process id and a random part. */
  readonly instance?: string;
  /** Answers are STALE once nothing was heard for this long; well above the stream's heartbeat of 5 s. Default 30 000. */
  readonly staleAfterMs?: number;
  /** A stream that is silent for this long is given up and opened anew. Default 15 000. */
  readonly idleTimeoutMs?: number;
  /** Longest first wait before a new connection; it doubles up to `longestRetryMs`, each time with jitter. Default 250. */
  readonly firstRetryMs?: number;
  /** Default 5 000. */
  readonly longestRetryMs?: number;
  /** How often this instance tells what it has applied. Default 5 000. */
  readonly heartbeatEveryMs?: number;
  /** Hears of everything that went wrong. Default: a process warning, at most one per code and minute. */
  readonly onError?: (error: AppError<SdkErrorCode>) => void;
}

/** Options with every default filled in; `url` ends without a slash. */
export type Settings = Required<Omit<TidegateOptions, 'onError'>> &
  Pick<TidegateOptions, 'onError'>;

const DEFAULTS = {
  application: 'unnamed',
  staleAfterMs: 30_000,
  idleTimeoutMs: 15_000,
  firstRetryMs: 250,
  longestRetryMs: 5_000,
  heartbeatEveryMs: 5_000,
};
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Thrown SDK_OPTIONS_INVALID: all problems in one message. */
export function settingsOf(options: TidegateOptions, instance: string): Settings {
  const given = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as unknown as TidegateOptions;
  const settings = { ...DEFAULTS, instance, ...given, url: trimmed(options.url) };
  const problems = problemsOf(settings);
  if (problems.length > 0)
    throw new AppError<SdkErrorCode>(
      'SDK_OPTIONS_INVALID',
      `Tidegate cannot be created: ${problems.join('; ')}.`,
    );
  return settings;
}

function problemsOf(settings: Settings): string[] {
  const problems: string[] = [];
  if (!/^https?:\/\//.test(settings.url) || !URL.canParse(settings.url))
    problems.push(`url must be an http or https address, not "${settings.url}"`);
  const environment = name.safeParse(settings.environment);
  if (!environment.success)
    problems.push(`environment ${environment.error.issues[0]?.message ?? 'is not a name'}`);
  for (const field of ['key', 'application', 'instance'] as const)
    if (typeof settings[field] !== 'string' || settings[field].trim() === '')
      problems.push(`${field} must not be empty`);
  for (const field of [
    'staleAfterMs',
    'idleTimeoutMs',
    'firstRetryMs',
    'longestRetryMs',
    'heartbeatEveryMs',
  ] as const)
    if (!(settings[field] > 0 && settings[field] <= LONGEST_TIMER_MS))
      problems.push(`${field} must be a number of milliseconds from 1 to ${LONGEST_TIMER_MS}`);
  if (settings.longestRetryMs < settings.firstRetryMs)
    problems.push('longestRetryMs cannot be less than firstRetryMs');
  return problems;
}

const trimmed = (url: unknown): string => String(url).replace(/\/+$/, '');
