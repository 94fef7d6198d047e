import type { SdkHeartbeat } from '@tidegate/contracts';
import type { Details } from '@tidegate/evaluation';

/** What was asked for since it was last told: how often each flag served which variant, and keys that no flag has. */
export interface Use {
  readonly evaluations: NonNullable<SdkHeartbeat['evaluations']>;
  readonly unknown: NonNullable<SdkHeartbeat['unknown']>;
}

/** What a heartbeat has room for; callers may make up unknown keys without end. */
const MOST_FLAGS = 5_000;
const MOST_VARIANTS = 200;
const MOST_UNKNOWN = 100;
const LONGEST_KEY = 200;
const MOST_COUNTED = 1_000_000_000;

/** Never more than one heartbeat may tell: what is beyond that is not counted. Before there are flags nothing is. */
export class UseCounts {
  #flags = new Map<string, Map<string, { count: number }>>();
  #unknown = new Set<string>();

  count(key: string, { variant, errorCode }: Details): void {
    if (errorCode === 'FLAG_NOT_FOUND') this.#miss(key);
    else if (errorCode !== 'PROVIDER_NOT_READY')
      this.#add(key, (errorCode === undefined ? variant : undefined) ?? 'ERROR', 1);
  }

  /** All since the last time; now it counts from zero. */
  take(): Use {
    const evaluations = Object.fromEntries(
      [...this.#flags].map(([key, variants]) => [
        key,
        Object.fromEntries([...variants].map(([variant, { count }]) => [variant, count])),
      ]),
    );
    const unknown = [...this.#unknown];
    this.#flags = new Map();
    this.#unknown = new Set();
    return { evaluations, unknown };
  }

  /** What was taken and could not be told counts again. */
  giveBack({ evaluations, unknown }: Use): void {
    for (const [key, variants] of Object.entries(evaluations))
      for (const [variant, count] of Object.entries(variants)) this.#add(key, variant, count);
    for (const key of unknown) this.#miss(key);
  }

  #add(key: string, variant: string, more: number): void {
    let variants = this.#flags.get(key);
    if (variants === undefined) {
      if (this.#flags.size >= MOST_FLAGS) return;
      variants = new Map();
      this.#flags.set(key, variants);
    }
    const counter = variants.get(variant);
    if (counter) counter.count = Math.min(MOST_COUNTED, counter.count + more);
    else if (variants.size < MOST_VARIANTS) variants.set(variant, { count: more });
  }

  /** Programs without types ask for anything: what cannot be a key is not told. */
  #miss(key: unknown): void {
    if (typeof key !== 'string' || key === '' || key.length > LONGEST_KEY) return;
    if (this.#unknown.size < MOST_UNKNOWN) this.#unknown.add(key);
  }
}
