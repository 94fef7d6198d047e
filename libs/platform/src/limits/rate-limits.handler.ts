import { Allowance } from './allowance.ts';
import type { SharedCounts } from './shared-counts.port.ts';

/** Who is limited: a key by its name, and apart from that for what there is much of; everybody without one by address. */
export const callerKinds = ['key', 'heartbeat', 'evaluation', 'address'] as const;
export type CallerKind = (typeof callerKinds)[number];
export type CountedApart = Exclude<CallerKind, 'key' | 'address'>;

export interface RateLimitOptions {
  /** Requests in a window; 0: any number. */
  readonly limits: Readonly<Record<CallerKind, number>>;
  /** Without it each process counts by itself. */
  readonly shared?: SharedCounts | undefined;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
  /** Callers of one kind that are told apart. */
  readonly mostCallers?: number;
}

export interface Taken {
  readonly allowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  readonly endsInMs: number;
}

/** How far replicas may be behind each other. */
const SETTLE_MS = 50;
const RETRY_MS = 1_000;
const MOST_CALLERS = 20_000;
const LOOK_MS = 1_000;

/** Decides at once, from what this process knows, and tells the others soon after. */
export class RateLimits {
  readonly #limits: Readonly<Record<CallerKind, number>>;
  readonly #shared: SharedCounts | undefined;
  readonly #now: () => number;
  readonly #mostCallers: number;
  readonly #callers = {
    key: new Map<string, Allowance>(),
    heartbeat: new Map<string, Allowance>(),
    evaluation: new Map<string, Allowance>(),
    address: new Map<string, Allowance>(),
  } satisfies Record<CallerKind, Map<string, Allowance>>;
  readonly #unsettled = new Set<Allowance>();
  #timer: NodeJS.Timeout | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(options: RateLimitOptions) {
    this.#limits = options.limits;
    this.#shared = options.shared;
    this.#now = options.now ?? (() => performance.now());
    this.#mostCallers = options.mostCallers ?? MOST_CALLERS;
  }

  /** Counts a request; undefined if this kind of caller has no limit. */
  take(kind: CallerKind, caller: string): Taken | undefined {
    const limit = this.#limits[kind];
    if (limit === 0) return undefined;
    const now = this.#now();
    const allowance = this.#allowanceOf(kind, caller, now);
    const allowed = allowance.take(limit, now);
    if (allowed && this.#shared) this.#settleSoon(allowance, this.#shared);
    const remaining = allowance.remaining(limit);
    return { allowed, limit, remaining, endsInMs: allowance.endsInMs(now) };
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#unsettled.clear();
  }

  #allowanceOf(kind: CallerKind, caller: string, now: number): Allowance {
    const callers = this.#callers[kind];
    const known = callers.get(caller);
    if (known) return known;
    // Whoever comes from ever new addresses gets one limit for all of them, and not all of our memory.
    const isFull = callers.size >= this.#mostCallers && !this.#forget(callers, now);
    const name = isFull ? 'others' : caller;
    const allowance = callers.get(name) ?? new Allowance(`${kind}:${name}`);
    callers.set(name, allowance);
    return allowance;
  }

  /** True if there is room now. */
  #forget(callers: Map<string, Allowance>, now: number): boolean {
    if (now < this.#lookedAt + LOOK_MS) return false;
    this.#lookedAt = now;
    for (const [caller, allowance] of callers) if (allowance.isOver(now)) callers.delete(caller);
    return callers.size < this.#mostCallers;
  }

  #settleSoon(allowance: Allowance, shared: SharedCounts): void {
    this.#unsettled.add(allowance);
    this.#timer ??= this.#after(SETTLE_MS, shared);
  }

  #after(ms: number, shared: SharedCounts): NodeJS.Timeout {
    return setTimeout(() => void this.#settleAll(shared), ms).unref();
  }

  /** One round at a time; `#timer` stands until it is over. */
  async #settleAll(shared: SharedCounts): Promise<void> {
    const due = [...this.#unsettled];
    this.#unsettled.clear();
    const settled = await Promise.all(due.map((allowance) => this.#settle(allowance, shared)));
    const waitMs = settled.every(Boolean) ? SETTLE_MS : RETRY_MS;
    this.#timer = this.#unsettled.size > 0 ? this.#after(waitMs, shared) : undefined;
  }

  /** The adapter says in log, health and metrics that it is away; here the points are kept for the next time. */
  async #settle(allowance: Allowance, shared: SharedCounts): Promise<boolean> {
    try {
      const count = await shared.add(allowance.name, allowance.send());
      allowance.settle(count, this.#now());
      return true;
    } catch {
      allowance.unsent();
      if (!allowance.isOver(this.#now())) this.#unsettled.add(allowance);
      return false;
    }
  }
}
