import { AppError } from '@tidegate/kernel';
import { name } from '@tidegate/contracts';
import type { FileBootstrapOptions } from './bootstrap.file.ts';
import type { Bootstrap } from './bootstrap.port.ts';
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
  /**
   * The client is not ready (`status.state` is `error`) once nothing was heard for this long; it goes on answering from
   * what it holds. Left out: however long that is, it is `stale`.
   */
  readonly notReadyAfterMs?: number;
  /**
   * `stream`: changes are pushed, within milliseconds; polled only while flag-service has no stream to give.
   * `poll`: always polled, for networks that cut long connections. Default `stream`.
   */
  readonly mode?: 'stream' | 'poll';
  /** Between two polls of `mode: 'poll'`, give or take a tenth; well below `staleAfterMs`. Default 10 000. */
  readonly pollIntervalMs?: number;
  /**
   * Flags of an earlier run, to answer with, as STALE, until the first have come: from a file in the form of the
   * snapshot, which `persist: true` keeps up to date, or from what `@tidegate/sdk/redis` makes.
   */
  readonly bootstrap?: FileBootstrapOptions | Bootstrap;
  /** A stream that is silent for this long is given up and opened anew. Default 15 000. */
  readonly idleTimeoutMs?: number;
  /** Longest first wait before a new connection; it doubles up to `longestRetryMs`, each time with jitter. Default 250. */
  readonly firstRetryMs?: number;
  /** Default 5 000. */
  readonly longestRetryMs?: number;
  /** How often this instance tells what it has applied. Default 5 000. */
  readonly heartbeatEveryMs?: number;
  /** Hears of everything that went wrong. Left out: nothing is logged; `status.lastError` says what was last. */
  readonly onError?: (error: AppError<SdkErrorCode>) => void;
}

/** Options with every default filled in; `url` ends without a slash. */
export type Settings = Required<Omit<TidegateOptions, Optional>> & Pick<TidegateOptions, Optional>;
type Optional = 'onError' | 'notReadyAfterMs' | 'bootstrap';

export const COMMON_DEFAULTS = {
  application: 'unnamed',
  staleAfterMs: 30_000,
  heartbeatEveryMs: 5_000,
} as const;
const DEFAULTS = {
  ...COMMON_DEFAULTS,
  mode: 'stream',
  pollIntervalMs: 10_000,
  idleTimeoutMs: 15_000,
  firstRetryMs: 250,
  longestRetryMs: 5_000,
} as const;
const DURATIONS = [
  'staleAfterMs',
  'notReadyAfterMs',
  'pollIntervalMs',
  'idleTimeoutMs',
  'firstRetryMs',
  'longestRetryMs',
  'heartbeatEveryMs',
] as const;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** Longer than this no server takes them. */
const LONGEST_NAME = 200;

/** Thrown SDK_OPTIONS_INVALID: all problems in one message. */
export function settingsOf(options: TidegateOptions, instance: string): Settings {
  const url = trimmed(options.url);
  const settings: Settings = { ...DEFAULTS, instance, ...given(options), url };
  const problems = problemsOf(settings);
  if (problems.length > 0) throw invalid(problems);
  return settings;
}

/** What was not left out; undefined is. */
export const given = <O extends object>(options: O): O =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as O;

export const invalid = (problems: readonly string[]): AppError<SdkErrorCode> =>
  new AppError('SDK_OPTIONS_INVALID', `Tidegate cannot be created: ${problems.join('; ')}.`);

function problemsOf(settings: Settings): string[] {
  const problems: string[] = [];
  if (!/^https?:\/\//.test(settings.url) || !URL.canParse(settings.url))
    problems.push(`url must be an http or https address, not "${settings.url}"`);
  problems.push(...commonProblems(settings));
  if (typeof settings.key !== 'string' || settings.key.trim() === '')
    problems.push('key must not be empty');
  if (settings.mode !== 'stream' && settings.mode !== 'poll')
    problems.push(`mode must be stream or poll, not "${String(settings.mode)}"`);
  if (settings.longestRetryMs < settings.firstRetryMs)
    problems.push('longestRetryMs cannot be less than firstRetryMs');
  if (settings.mode === 'poll' && settings.pollIntervalMs >= settings.staleAfterMs)
    problems.push('pollIntervalMs must be less than staleAfterMs');
  return problems;
}

/** What every client on the network has, whatever feeds it. */
type Common = Pick<Settings, 'environment' | 'application' | 'instance' | 'bootstrap'> & Durations;
type Durations = Pick<Settings, 'staleAfterMs'> & Pick<TidegateOptions, (typeof DURATIONS)[number]>;

export function commonProblems(settings: Common): string[] {
  const problems: string[] = [];
  const environment = name.safeParse(settings.environment);
  if (!environment.success)
    problems.push(`environment ${environment.error.issues[0]?.message ?? 'is not a name'}`);
  for (const field of ['application', 'instance'] as const)
    if (typeof settings[field] !== 'string' || settings[field].trim() === '')
      problems.push(`${field} must not be empty`);
    else if (settings[field].length > LONGEST_NAME)
      problems.push(`${field} must have at most ${LONGEST_NAME} characters`);
  const bootstrap = settings.bootstrap as Partial<FileBootstrapOptions & Bootstrap> | undefined;
  if (bootstrap !== undefined && !bootstrap.file && !bootstrap.load)
    problems.push('bootstrap must name a file, or be what @tidegate/sdk/redis makes');
  return [...problems, ...durationProblems(settings)];
}

function durationProblems(settings: Durations): string[] {
  const problems: string[] = [];
  for (const field of DURATIONS) {
    const value = settings[field] ?? 1;
    if (!(value > 0 && value <= LONGEST_TIMER_MS))
      problems.push(`${field} must be a number of milliseconds from 1 to ${LONGEST_TIMER_MS}`);
  }
  if (settings.notReadyAfterMs !== undefined && settings.notReadyAfterMs < settings.staleAfterMs)
    problems.push('notReadyAfterMs cannot be less than staleAfterMs');
  return problems;
}

const trimmed = (url: unknown): string => String(url).replace(/\/+$/, '');
