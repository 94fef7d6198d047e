import { nextTick } from 'node:process';
import type { Clock } from '@tidegate/kernel';
import type { Seeded } from './random.ts';

/** What dies with its process: what a dead one waits for never comes. */
export interface Owner {
  readonly isAlive: boolean;
}

interface Waiting {
  readonly owner: Owner;
  readonly go: () => void;
}
interface Timed extends Waiting {
  readonly at: number;
  readonly order: number;
}

/** Virtual time, and who goes on next: one task at a time, until it waits again. */
export class Scheduler implements Clock {
  readonly #random: Seeded;
  readonly #ready: Waiting[] = [];
  readonly #timed: Timed[] = [];
  #now: number;
  #count = 0;
  steps = 0;

  constructor(random: Seeded, startMs: number) {
    this.#random = random;
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  /** Waits until the scheduler picks it from all that could go on. */
  turn(owner: Owner): Promise<void> {
    return new Promise((go) => {
      this.#ready.push({ owner, go });
    });
  }

  sleep(owner: Owner, ms: number): Promise<void> {
    return new Promise((go) => {
      this.after(owner, ms, go);
    });
  }

  after(owner: Owner, ms: number, go: () => void): void {
    const at = this.#now + Math.max(0, ms);
    this.#count += 1;
    const timed = { owner, go, at, order: this.#count };
    let index = this.#timed.length;
    while (index > 0 && isLater(timed, this.#timed[index - 1])) index -= 1;
    this.#timed.splice(index, 0, timed);
  }

  /** One task goes on until it waits again. @param rush probability that time passes although somebody could go on */
  async step(rush: number): Promise<void> {
    this.steps += 1;
    const next = this.#ready.length > 0 && !this.#random.chance(rush) ? this.#draw() : this.#pass();
    if (next?.owner.isAlive) next.go();
    // Runs once no promise is left that can go on by itself.
    await new Promise<void>((resolve) => {
      nextTick(resolve);
    });
  }

  #draw(): Waiting | undefined {
    const index = this.#random.between(0, this.#ready.length - 1);
    const drawn = this.#ready[index];
    const last = this.#ready.pop();
    if (last && index < this.#ready.length) this.#ready[index] = last;
    return drawn;
  }

  /** The soonest of what waits for its time; kept in reverse order. */
  #pass(): Waiting | undefined {
    const next = this.#timed.pop();
    if (next) this.#now = Math.max(this.#now, next.at);
    return next ?? (this.#ready.length > 0 ? this.#draw() : undefined);
  }
}

const isLater = (a: Timed, b: Timed | undefined): boolean =>
  b !== undefined && (a.at > b.at || (a.at === b.at && a.order > b.order));
