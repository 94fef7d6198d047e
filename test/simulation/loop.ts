import type { Life, Sim } from './sim.ts';

/** A control loop in virtual time, as platform runs it: again some time after it ended, or at once when it is woken. */
export class Loop {
  readonly #sim: Sim;
  readonly #life: Life;
  readonly #name: string;
  readonly #everyMs: number;
  readonly #run: () => Promise<void>;
  readonly #hasWork: () => boolean;
  #isRunning = false;
  #again = false;
  #turn = 0;

  /** @param hasWork false where a run would find nothing: it is left out, which saves most of the simulation's time */
  constructor(
    sim: Sim,
    life: Life,
    name: string,
    everyMs: number,
    run: () => Promise<void>,
    hasWork: () => boolean = () => true,
  ) {
    this.#sim = sim;
    this.#life = life;
    this.#name = name;
    this.#everyMs = everyMs;
    this.#run = run;
    this.#hasWork = hasWork;
  }

  start(): void {
    this.#runIn(this.#sim.random.between(0, this.#everyMs));
  }

  wake(): void {
    if (this.#isRunning) this.#again = true;
    else this.#runIn(0);
  }

  #runIn(ms: number): void {
    this.#turn += 1;
    const turn = this.#turn;
    this.#sim.scheduler.after(this.#life, ms, () => {
      if (turn === this.#turn && !this.#isRunning) void this.#once();
    });
  }

  async #once(): Promise<void> {
    this.#isRunning = true;
    this.#again = false;
    try {
      if (this.#hasWork()) await this.#run();
    } catch (error) {
      this.#sim.tolerate(`${this.#life.name} ${this.#name}`, error);
    }
    this.#isRunning = false;
    this.#runIn(this.#again ? 0 : this.#everyMs);
  }
}
