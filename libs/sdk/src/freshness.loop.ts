import type { TidegateStatus } from './tidegate.port.ts';

export interface Limits {
  readonly staleAfterMs: number;
  /** Left out: never, for age alone. */
  readonly notReadyAfterMs?: number | undefined;
}

/**
 * Knows since when nothing was heard, and tells when that makes a difference. By the monotonic clock: somebody may set
 * the other one.
 */
export class Freshness {
  readonly #limits: Limits;
  readonly #changed: () => void;
  #state: TidegateStatus['state'] = 'connecting';
  /** When what is held was last known to be current. */
  #currentAt: number | undefined;
  #hasSynced = false;
  #isRefused = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: Limits, changed: () => void) {
    this.#limits = limits;
    this.#changed = changed;
  }

  get state(): TidegateStatus['state'] {
    return this.#state;
  }

  /** Undefined: there are no flags yet. */
  get ageMs(): number | undefined {
    return this.#currentAt === undefined ? undefined : performance.now() - this.#currentAt;
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  synced(): void {
    this.#hasSynced = true;
    this.#isRefused = false;
    this.#currentAt = performance.now();
    // A timer that runs finds out by itself how long there is left.
    if (this.#timer && this.#state === 'ready') return;
    this.#look();
  }

  /** What is held is still all there is. Before the first `synced` there is nothing that could be. */
  heard(): void {
    if (this.#hasSynced) this.synced();
  }

  /** Flags of an earlier run are held; nothing after the first `synced`. */
  bootstrapped(ageMs: number): void {
    if (this.#hasSynced) return;
    this.#currentAt = performance.now() - ageMs;
    this.#look();
  }

  /** The server will have nothing of this client until a person acts. */
  refused(): void {
    this.#isRefused = true;
    this.#look();
  }

  close(): void {
    this.#isClosed = true;
    this.#look();
  }

  #look(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const ageMs = this.ageMs;
    const leftMs = this.#isClosed || ageMs === undefined ? undefined : this.#nextLimit(ageMs);
    if (leftMs !== undefined)
      this.#timer = setTimeout(() => {
        this.#look();
      }, Math.ceil(leftMs)).unref();
    this.#become(this.#stateAt(ageMs));
  }

  #stateAt(ageMs: number | undefined): TidegateStatus['state'] {
    const { staleAfterMs, notReadyAfterMs = Infinity } = this.#limits;
    if (this.#isClosed) return 'closed';
    if (this.#isRefused) return 'error';
    if (ageMs === undefined) return 'connecting';
    if (ageMs >= notReadyAfterMs) return 'error';
    return this.#hasSynced && ageMs < staleAfterMs ? 'ready' : 'stale';
  }

  /** How long until the age means something else. */
  #nextLimit(ageMs: number): number | undefined {
    const { staleAfterMs, notReadyAfterMs } = this.#limits;
    const limits = [...(this.#hasSynced ? [staleAfterMs] : []), notReadyAfterMs];
    return limits.map((limit) => (limit ?? 0) - ageMs).find((leftMs) => leftMs > 0);
  }

  #become(state: TidegateStatus['state']): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#changed();
  }
}
