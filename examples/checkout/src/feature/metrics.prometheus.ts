import { Counter, Histogram, Registry } from 'prom-client';
import { features } from './feature.ts';
import type { Outcome } from './serve.handler.ts';

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];

/** The service's metrics, by served variant: what a rollout's guards look at. */
export class Metrics {
  readonly registry = new Registry();
  readonly #requests = new Counter({
    name: 'checkout_requests_total',
    help: 'Requests served, by feature, served variant (on: the new path) and HTTP status.',
    labelNames: ['feature', 'variant', 'status'] as const,
    registers: [this.registry],
  });
  readonly #duration = new Histogram({
    name: 'checkout_duration_seconds',
    help: 'Time to serve a request, by feature and served variant.',
    labelNames: ['feature', 'variant'] as const,
    buckets: SECONDS,
    registers: [this.registry],
  });
  readonly #violations = new Counter({
    name: 'checkout_invariant_violations_total',
    help: 'Orders that were kept with a total that is not the sum of their items less the discount.',
    registers: [this.registry],
  });

  /** The usual series stand at 0 from the start: a counter that appears with its first failure hides that one. */
  constructor() {
    for (const feature of features)
      for (const variant of ['on', 'off'] as const)
        for (const status of [201, 500]) this.#requests.inc({ feature, variant, status }, 0);
  }

  served({ feature, variant, status, seconds }: Outcome): void {
    this.#requests.inc({ feature, variant, status });
    this.#duration.observe({ feature, variant }, seconds);
  }

  violated(): void {
    this.#violations.inc();
  }
}
