import { AppError, type Rejection } from '@tidegate/kernel';
import type { ServiceContext } from '@tidegate/platform';
import { environmentUnknown } from '../environment/environments.handler.ts';
import type { flagServiceErrorCodes } from '../errors.ts';
import { unknown as flagUnknown } from '../flag/flag-refusals.ts';
import type { EnvironmentFlags } from '../view/environment-flags.ts';
import type { AdoptionCounts, HourCount, UnknownKey } from './adoption-counts.port.ts';
import { type Counted, NO_VARIANT } from './counted.ts';
import type { Asked, LastAsked } from './last-asked.port.ts';
import { Tally } from './tally.ts';

/** Deltas of one instance of an application since its last report. */
export interface ReportedUse {
  readonly evaluations?: Readonly<Record<string, Readonly<Record<string, number>>>> | undefined;
  readonly unknown?: readonly string[] | undefined;
}

/** Who was served what. Times in ms since 1970. */
export interface AdoptionOf {
  readonly environment: string;
  readonly key: string;
  /** What was asked before is not known. */
  readonly countedSince: number;
  readonly lastAsked: number | null;
  /** When somebody last got all flags who does not tell which it uses: this one may be among them. */
  readonly lastFetched: number | null;
  /** Sums over hours and applications. */
  readonly variants: Readonly<Record<string, number>>;
  readonly counts: readonly HourCount[];
}

export interface AdoptionParts {
  readonly context: Pick<ServiceContext, 'clock'> & {
    readonly log: Pick<ServiceContext['log'], 'warn'>;
  };
  readonly counts: AdoptionCounts;
  readonly views: { find(environment: string): Promise<EnvironmentFlags | undefined> };
}

/** Counts what is asked, at once in memory and soon after where all replicas count. No evaluation waits for it. */
export class Adoption implements LastAsked {
  readonly #parts: AdoptionParts;
  readonly #tallies = new Map<string, Tally>();
  /** Taken from the tally and not yet delivered. */
  readonly #pending = new Map<string, Counted>();
  #isAway = false;

  constructor(parts: AdoptionParts) {
    this.#parts = parts;
  }

  /** Of an environment that exists: so there are not more of them than that. */
  tally(environment: string): Tally {
    const known = this.#tallies.get(environment);
    if (known) return known;
    const made = new Tally();
    this.#tallies.set(environment, made);
    return made;
  }

  /**
   * What an SDK has counted itself; one that does not count may use any flag. Flags and variants that are not there
   * (any more) do not get counts of their own.
   */
  reported(
    environment: string,
    flags: EnvironmentFlags,
    application: string,
    { evaluations, unknown = [] }: ReportedUse,
  ): void {
    const tally = this.tally(environment);
    if (!evaluations) tally.fetched();
    for (const [key, variants] of Object.entries(evaluations ?? {})) {
      const definition = flags.get(key)?.flag?.definition;
      for (const [variant, count] of Object.entries(variants))
        if (!definition) tally.unknown(application, key, count);
        else {
          const isVariant = Object.hasOwn(definition.variants, variant);
          tally.served(application, key, isVariant ? variant : NO_VARIANT, count);
        }
    }
    for (const key of unknown) if (!flags.get(key)?.flag) tally.unknown(application, key);
  }

  /** One batch per environment. What cannot be delivered waits, and later counts go on in the tally meanwhile. */
  async flush(): Promise<void> {
    const now = this.#parts.context.clock.now();
    for (const [environment, tally] of this.#tallies) {
      const counted = this.#pending.get(environment) ?? tally.take(now);
      if (!counted) continue;
      this.#pending.set(environment, counted);
      if (!(await this.#deliver(environment, counted))) return;
      this.#pending.delete(environment);
    }
  }

  async #deliver(environment: string, counted: Counted): Promise<boolean> {
    try {
      await this.#parts.counts.add(environment, counted);
      this.#isAway = false;
      return true;
    } catch (error) {
      if (!this.#isAway)
        this.#parts.context.log.warn(
          { err: error },
          'what was evaluated is counted in this process until the counts can be reached',
        );
      this.#isAway = true;
      return false;
    }
  }

  /** Refused ENVIRONMENT_UNKNOWN or FLAG_UNKNOWN; thrown ADOPTION_UNREACHABLE. */
  async of(environment: string, key: string, hours: number): Promise<AdoptionOf | Rejection> {
    const flags = await this.#parts.views.find(environment);
    if (!flags) return environmentUnknown(environment);
    if (!flags.get(key)?.flag) return flagUnknown({ environment, key });
    const { counts, context } = this.#parts;
    const now = context.clock.now();
    const [counted, { countedSince, flags: asked, lastFetched = null }] = await reached(
      Promise.all([counts.counts(environment, key, { hours, now }), counts.asked(environment)]),
    );
    const lastAsked = asked.get(key) ?? null;
    const variants = sums(counted);
    return { environment, key, countedSince, lastAsked, lastFetched, variants, counts: counted };
  }

  /** Refused ENVIRONMENT_UNKNOWN; thrown ADOPTION_UNREACHABLE. */
  async unknown(environment: string): Promise<readonly UnknownKey[] | Rejection> {
    const flags = await this.#parts.views.find(environment);
    if (!flags) return environmentUnknown(environment);
    const found = await reached(this.#parts.counts.unknown(environment));
    return found.filter(({ key }) => !flags.get(key)?.flag);
  }

  lastAsked(environment: string): Promise<Asked> {
    return reached(this.#parts.counts.asked(environment));
  }
}

function sums(counted: readonly HourCount[]): Record<string, number> {
  const totals = new Map<string, number>();
  for (const { variant, count } of counted) totals.set(variant, (totals.get(variant) ?? 0) + count);
  return Object.fromEntries(totals);
}

async function reached<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    throw new AppError<(typeof flagServiceErrorCodes)[number]>(
      'ADOPTION_UNREACHABLE',
      'What was evaluated is counted where it cannot be read now.',
      { retryable: true, cause },
    );
  }
}
