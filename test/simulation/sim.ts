import { AppError, type Ids, isAppError, messageOf } from '@tidegate/kernel';
import { calm, type Profile } from './profile.ts';
import { Seeded } from './random.ts';
import { type Owner, Scheduler } from './scheduler.ts';

/** One process from its start to its end; the next one of the same name knows nothing of it. */
export interface Life extends Owner {
  readonly name: string;
  readonly service: string;
  isAlive: boolean;
  /** Cut off from the store or the bus by itself, while others reach them. */
  storeIsCut: boolean;
  busIsCut: boolean;
  readonly onDeath: (() => void)[];
}

/** What was promised and is not so. */
export class Violation extends Error {
  override readonly name = 'Violation';
  readonly promise: string;

  constructor(promise: string, what: string) {
    super(`${promise}: ${what}`);
    this.promise = promise;
  }
}

export const START_MS = 1_790_000_000_000;

/** What all parts of one simulated world share: time, chance, faults, and the record of what was done. */
export class Sim {
  readonly random: Seeded;
  readonly scheduler: Scheduler;
  readonly ids: Ids;
  readonly seen = new Map<string, number>();
  profile: Profile = calm;
  violation: Violation | undefined;
  /** Ends a process, set by the world that knows how to begin it again. */
  kill: (life: Life) => void = () => undefined;
  readonly #trace: (readonly [at: number, who: string, what: string])[] = [];
  #ids = 0;

  constructor(seed: number) {
    this.random = new Seeded(seed);
    this.scheduler = new Scheduler(this.random, START_MS);
    this.ids = {
      next: () => {
        this.#ids += 1;
        return `m${this.#ids}`;
      },
    };
  }

  now(): number {
    return this.scheduler.now();
  }

  note(who: string, what: string): void {
    this.#trace.push([this.now(), who, what]);
    if (this.#trace.length > 400) this.#trace.splice(0, 300);
  }

  /** Counts that something happened: a simulation in which it never does proves nothing. */
  count(what: string): void {
    this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
  }

  /** Keeps the first. */
  violated(promise: string, what: string): void {
    this.violation ??= new Violation(promise, what);
    this.note('oracle', `${promise} ${what}`);
  }

  lastSteps(count: number): string {
    return this.#trace
      .slice(-count)
      .map(
        ([at, who, what]) => `${((at - START_MS) / 1_000).toFixed(3).padStart(9)} ${who}: ${what}`,
      )
      .join('\n');
  }

  /** Between two steps: others may go on first, time may pass, the process may end here. */
  async gate(life: Life, point: string): Promise<void> {
    const { random, scheduler, profile } = this;
    if (!life.isAlive) return neverAgain();
    if (random.chance(profile.crash)) {
      this.note(life.name, `dies at ${point}`);
      this.count(`crash at ${point}`);
      this.kill(life);
      return neverAgain();
    }
    if (random.chance(profile.delay))
      await scheduler.sleep(life, random.between(1, profile.longestMs));
    else if (random.chance(profile.park)) await scheduler.turn(life);
  }

  /** Begins work that nobody waits for. Only failures that a connection may have are no defect. */
  begin(who: string, work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      this.tolerate(who, error);
    });
  }

  tolerate(who: string, error: unknown): void {
    this.note(who, `failed: ${messageOf(error)}`);
    if (isAppError(error) && error.retryable) return;
    const stack = error instanceof Error ? error.stack : undefined;
    this.violated('no failure but of a connection', `${who}: ${stack ?? messageOf(error)}`);
  }
}

const neverAgain = (): Promise<void> => new Promise(() => undefined);

export const unreachable = (what: 'STORE_UNREACHABLE' | 'BUS_UNREACHABLE'): AppError =>
  new AppError(what, 'The connection is lost.', { retryable: true });

export const newLife = (service: string, name: string): Life => ({
  service,
  name,
  isAlive: true,
  storeIsCut: false,
  busIsCut: false,
  onDeath: [],
});
