import { formatDuration } from '@tidegate/kernel';
import type { Logger } from 'pino';
import type { Metrics } from '../metrics/metrics.ts';

export interface LoopOptions {
  readonly name: string;
  readonly everyMs: number;
  readonly run: () => Promise<void>;
  readonly log: Logger;
  readonly metrics: Pick<Metrics, 'loopRuns' | 'loopSeconds' | 'loopSuccessAt'>;
}

/** One run after another, never two at once. */
export class ControlLoop {
  readonly #options: LoopOptions;
  #state: 'waiting to start' | 'on' | 'off' = 'waiting to start';
  #timer: NodeJS.Timeout | undefined;
  #current: Promise<void> | undefined;
  #again = false;
  #failingSince: number | undefined;

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#state !== 'waiting to start') return;
    this.#state = 'on';
    this.#turn();
  }

  /** Runs at once, or once more if a run is under way. */
  wake(): void {
    if (this.#state !== 'on') return;
    if (this.#current) this.#again = true;
    else this.#turn();
  }

  /** Resolves when the run under way has ended. */
  async stop(): Promise<void> {
    this.#state = 'off';
    clearTimeout(this.#timer);
    await this.#current;
  }

  #turn(): void {
    clearTimeout(this.#timer);
    this.#again = false;
    this.#current = this.#run().finally(() => {
      this.#current = undefined;
      if (this.#state !== 'on') return;
      this.#timer = setTimeout(() => this.#turn(), this.#again ? 0 : this.#options.everyMs);
    });
  }

  async #run(): Promise<void> {
    const { name, run, log, metrics } = this.#options;
    const startedAt = performance.now();
    try {
      await run();
      metrics.loopRuns.inc({ loop: name, outcome: 'succeeded' });
      metrics.loopSuccessAt.set({ loop: name }, Date.now() / 1_000);
      if (this.#failingSince !== undefined) {
        const failedFor = formatDuration(startedAt - this.#failingSince);
        log.warn({ loop: name, failedFor }, 'a control loop works again');
      }
      this.#failingSince = undefined;
    } catch (error) {
      metrics.loopRuns.inc({ loop: name, outcome: 'failed' });
      // Once, not each time: a loop that fails every second would bury what else is said.
      const level = this.#failingSince === undefined ? 'error' : 'debug';
      log[level]({ loop: name, err: error }, 'a control loop failed and will be tried again');
      this.#failingSince ??= startedAt;
    }
    metrics.loopSeconds.observe({ loop: name }, (performance.now() - startedAt) / 1_000);
  }
}
