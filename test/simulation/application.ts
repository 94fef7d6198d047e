import type { FlagRecord } from '@tidegate/contracts';
import { FlagView } from '@tidegate/evaluation';
import { isNewer } from '@tidegate/kernel';
import { type Reading, type Sample, seriesKey, type TakenReading } from '@tidegate/metrics-source';
import type { EnvironmentFlags } from '../../apps/flag-service/src/view/environment-flags.ts';
import type { FlagHolder } from './defect.ts';
import type { Life, Sim } from './sim.ts';

/** What may be wrong with a target's text for a while. */
export const troubles = ['unreachable', 'empty', 'nan', 'stale', 'twice', 'slow'] as const;
export interface Trouble {
  readonly kind: (typeof troubles)[number];
  readonly from: number;
  readonly to: number;
}

interface Spell {
  readonly from: number;
  readonly to: number;
}
const isIn = (spell: Spell | undefined, at: number): boolean =>
  spell !== undefined && at >= spell.from && at < spell.to;

/** The truth about the application, which the control plane has to find out. */
export interface Truth {
  /** Requests per second of one instance. */
  readonly rate: number;
  readonly noTraffic: { readonly from: number; readonly to: number };
  /** Share of failing requests where all is well. */
  readonly healthy: number;
  /** The new code fails this share from an exposure on, in thousandths of a percent, and not before an instant. */
  readonly broken?: { readonly share: number; readonly exposure: number; readonly at: number };
  /** The new code fails this share for a while, whatever the exposure. */
  readonly blip?: Spell & { readonly share: number };
  /** Those who have the old code are counted as well. */
  readonly hasTwoArms?: boolean;
  /** Whatever code serves, this share fails for a while. */
  readonly outage?: Spell & { readonly share: number };
  /** The second instance is gone for a while, and the first one is there. */
  readonly vanishes?: Spell;
  /** When the new code, if anybody is served it, loses data. */
  readonly losesDataAt?: number;
  readonly restarts: readonly number[];
  readonly troubles: readonly Trouble[];
  /** Counters stand in the text from the start, not from their first increase. */
  readonly startsAtZero: boolean;
}

/** Where flags can be subscribed to: what a living replica of flag-service serves. */
export interface Stream {
  readonly life: Life;
  readonly flags: EnvironmentFlags;
}

const COUNTERS = ['requests_total', 'errors_total', 'losses_total'] as const;
type Counter = (typeof COUNTERS)[number];
const VARIANTS = ['on', 'off'] as const;
type Variant = (typeof VARIANTS)[number];

/** One instance of an application: it follows the flags, serves traffic by them, and counts. */
export class Application {
  readonly target: string;
  readonly #sim: Sim;
  readonly #truth: Truth;
  readonly #flag: string;
  readonly #life: Life;
  /** Which of the instances it is. */
  readonly #index: number;
  readonly #streams: () => readonly Stream[];
  readonly #view: FlagHolder;
  #counters = new Map<`${Counter} ${Variant}`, number>();
  #since: number;
  #restarts: readonly number[];
  #hasLost = false;
  /** What it served from when on. */
  readonly #exposures: { readonly at: number; readonly exposure: number }[] = [];

  constructor(
    sim: Sim,
    options: {
      readonly target: string;
      readonly index: number;
      readonly truth: Truth;
      readonly flag: string;
      readonly life: Life;
      readonly streams: () => readonly Stream[];
      readonly holder?: (() => FlagHolder) | undefined;
    },
  ) {
    this.target = options.target;
    this.#sim = sim;
    this.#truth = options.truth;
    this.#flag = options.flag;
    this.#life = options.life;
    this.#index = options.index;
    this.#streams = options.streams;
    this.#view = options.holder?.() ?? new FlagView();
    this.#since = sim.now();
    this.#restarts = options.truth.restarts;
    this.#begin();
  }

  get(key: string): FlagRecord | undefined {
    return this.#view.get(key);
  }

  /** Follows one replica until it dies, or the connection breaks, then another one. */
  async follow(): Promise<void> {
    const { random, scheduler } = this.#sim;
    for (;;) {
      await scheduler.sleep(this.#life, random.between(10, 1_000));
      const streams = this.#streams();
      if (streams.length > 0) await this.#listen(random.pick(streams));
    }
  }

  async #listen({ life, flags }: Stream): Promise<void> {
    const { random, scheduler } = this.#sim;
    const { flags: records } = JSON.parse(flags.snapshot().text) as { flags: FlagRecord[] };
    for (const record of records) this.#take(record);
    const arrived: FlagRecord[] = [];
    let isOpen = life.isAlive;
    const end = flags.onChange((event) => {
      arrived.push(JSON.parse(event.slice(event.indexOf('data: ') + 6)) as FlagRecord);
      scheduler.after(this.#life, random.between(1, 40), () => {
        const next = arrived.shift();
        if (next && isOpen) this.#take(next);
      });
    });
    const until = this.#sim.now() + random.between(10_000, 60_000);
    while (life.isAlive && this.#sim.now() < until) await scheduler.sleep(this.#life, 1_000);
    isOpen = false;
    end();
  }

  #take(record: FlagRecord): void {
    this.#serve();
    const held = this.#view.get(record.key);
    this.#view.apply(record);
    this.#exposures.push({ at: this.#sim.now(), exposure: this.#exposure() });
    const now = this.#view.get(record.key);
    if (held && now && isNewer(held, now))
      this.#sim.violated('P3', `${this.target} went back from ${held.version} to ${now.version}`);
  }

  /** The share of requests that are served the new code, in thousandths of a percent. */
  #exposure(): number {
    const flag = this.#view.get(this.#flag)?.flag;
    return !flag || flag.disabled ? 0 : flag.definition.exposure.percentage;
  }

  /** Whether it served the new code to at least so many, all the time. */
  hasExposed(exposure: number, from: number, to: number): boolean {
    const first = this.#exposures.findLastIndex(({ at }) => at <= from);
    const meanwhile = this.#exposures.slice(Math.max(0, first)).filter(({ at }) => at <= to);
    return first >= 0 && meanwhile.every((each) => each.exposure >= exposure);
  }

  /** Serves what has come since it was last asked. */
  #serve(): void {
    const [restart] = this.#restarts;
    const now = this.#sim.now();
    if (restart !== undefined && restart <= now) {
      this.#serveUntil(restart);
      this.#restarts = this.#restarts.slice(1);
      this.#begin();
      this.#sim.count('application restarts');
      this.#serve();
      return;
    }
    this.#serveUntil(now);
  }

  #serveUntil(at: number): void {
    const { random } = this.#sim;
    const { rate, noTraffic, losesDataAt } = this.#truth;
    const exposure = this.#exposure();
    const all = isIn(noTraffic, this.#since) ? 0 : (rate * (at - this.#since)) / 1_000;
    const expected = (all * exposure) / 100_000;
    // A process that has just begun has no counters yet, and none of what it did before.
    if (this.trouble(at)?.kind === 'empty') this.#counters.clear();
    const requests = Math.floor(expected + random.next());
    const since = this.#since;
    this.#since = at;
    if (this.#truth.hasTwoArms && this.trouble(at)?.kind !== 'empty')
      this.#count('off', Math.floor(all - expected + random.next()), this.#failingAnyway(since));
    if (requests === 0 || this.trouble(at)?.kind === 'empty') return;
    this.#count('on', requests, this.#failing(since, exposure));
    if (losesDataAt === undefined || at < losesDataAt || this.#hasLost) return;
    this.#hasLost = true;
    this.#add('losses_total', 'on', 1);
  }

  #count(variant: Variant, requests: number, share: number): void {
    this.#add('requests_total', variant, requests);
    this.#add('errors_total', variant, this.#sim.random.binomial(requests, share));
  }

  /** The share of requests to the new code that fail. */
  #failing(at: number, exposure: number): number {
    const { broken, blip } = this.#truth;
    if (broken && exposure >= broken.exposure && at >= broken.at) return broken.share;
    return Math.max(isIn(blip, at) ? (blip?.share ?? 0) : 0, this.#failingAnyway(at));
  }

  #failingAnyway(at: number): number {
    const { healthy, outage } = this.#truth;
    return isIn(outage, at) ? (outage?.share ?? healthy) : healthy;
  }

  #begin(): void {
    this.#counters = new Map();
    if (!this.#truth.startsAtZero) return;
    for (const variant of this.#variants())
      for (const counter of COUNTERS) this.#counters.set(`${counter} ${variant}`, 0);
  }

  #variants(): readonly Variant[] {
    return this.#truth.hasTwoArms ? VARIANTS : ['on'];
  }

  #add(counter: Counter, variant: Variant, count: number): void {
    const key = `${counter} ${variant}` as const;
    if (count > 0) this.#counters.set(key, (this.#counters.get(key) ?? 0) + count);
  }

  /** Whether it began to serve more or fewer in this time. */
  hasChanged(from: number, to: number): boolean {
    return this.#exposures.some(
      ({ at, exposure }, index) =>
        at >= from && at <= to && exposure !== (this.#exposures[index - 1]?.exposure ?? 0),
    );
  }

  trouble(at = this.#sim.now()): Trouble | undefined {
    return this.#truth.troubles.find(({ from, to }) => at >= from && at < to);
  }

  read(metrics: readonly string[]): Reading {
    this.#serve();
    const at = this.#sim.now();
    const { target } = this;
    const isGone = this.#index > 0 && isIn(this.#truth.vanishes, at);
    const kind = isGone ? 'unreachable' : this.trouble()?.kind;
    if (kind === 'unreachable')
      return { outcome: 'failed', target, at, failure: 'unreachable', message: `${target}: away.` };
    const samples = metrics.flatMap((name) =>
      this.#variants().flatMap((variant): Sample[] => {
        const value = this.#counters.get(`${name as Counter} ${variant}`);
        if (value === undefined) return [];
        const labels = { variant };
        const sample = { name, labels, series: seriesKey(name, labels), value, at };
        if (kind === 'nan') return [{ ...sample, value: Number.NaN }];
        if (kind === 'stale') return [{ ...sample, at: at - 600_000 }];
        return kind === 'twice' ? [sample, sample] : [sample];
      }),
    );
    const taken: TakenReading = { outcome: 'taken', target, at, samples, declared: [...metrics] };
    return taken;
  }
}
