import type { TidegateStatus } from './tidegate.port.ts';

/** Knows since when nothing was heard, and tells when that makes a difference. */
export class Freshness {
  readonly #staleAfterMs: number;
  readonly #changed: () => void;
  #state: TidegateStatus['state'] = 'connecting';
  #heardAt: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(staleAfterMs: number, changed: () => void) {
    this.#staleAfterMs = staleAfterMs;
    this.#changed = changed;
  }

  get state(): TidegateStatus['state'] {
    return this.#state;
  }

  /** Undefined: there are no flags yet. */
  get ageMs(): number | undefined {
    return this.#heardAt === undefined ? undefined : performance.now() - this.#heardAt;
  }

  synced(): void {
    if (this.#state === 'closed') return;
    this.#heardAt = performance.now();
    this.#timer ??= this.#checkIn(this.#staleAfterMs);
    this.#become('ready');
  }

  /** What is held is still all there is. Before the first `synced` there is nothing that could be. */
  heard(): void {
    if (this.#state !== 'connecting') this.synced();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#become('closed');
  }

  #checkIn(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      const left = this.#staleAfterMs - (this.ageMs ?? 0);
      this.#timer = left > 0 ? this.#checkIn(left) : undefined;
      if (left <= 0) this.#become('stale');
    }, Math.ceil(ms)).unref();
  }

  #become(state: TidegateStatus['state']): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#changed();
  }
}
