import { Seeded } from '../simulation/random.ts';

/** From this many expected on, a draw by rejection is faster than counting from one to the next. */
const MANY = 20;

/** Draws for the traffic models: exact, and as fast for millions of requests as for ten. */
export class Draws extends Seeded {
  override binomial(trials: number, probability: number): number {
    if (probability > 0.5 && probability < 1)
      return trials - this.binomial(trials, 1 - probability);
    if (trials * probability < MANY || probability >= 1) return super.binomial(trials, probability);
    return this.#rejected(trials, probability);
  }

  /** About `mean` requests in an interval, as many clients that do not know of each other make them. */
  poisson(mean: number): number {
    if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * this.normal()));
    const end = Math.exp(-mean);
    let count = 0;
    for (let product = this.next(); product > end; product *= this.next()) count += 1;
    return count;
  }

  /** Box and Muller. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()));
    return radius * Math.cos(2 * Math.PI * this.next());
  }

  /** W. Hörmann (1993), algorithm BTRS: exact for p ≤ ½ and n·p ≥ 10. */
  #rejected(n: number, p: number): number {
    const odds = p / (1 - p);
    const spread = Math.sqrt(n * p * (1 - p));
    const b = 1.15 + 2.53 * spread;
    const a = -0.0873 + 0.0248 * b + 0.01 * p;
    const alpha = (2.83 + 5.1 / b) * spread;
    const mode = Math.floor((n + 1) * p);
    const atMode = logFactorial(mode) + logFactorial(n - mode);
    for (;;) {
      const u = this.next() - 0.5;
      const v = 1 - this.next();
      const us = 0.5 - Math.abs(u);
      const k = Math.floor(((2 * a) / us + b) * u + n * p + 0.5);
      if (us >= 0.07 && v <= 0.92 - 4.2 / b) return k;
      if (k < 0 || k > n) continue;
      const accept = atMode - logFactorial(k) - logFactorial(n - k) + (k - mode) * Math.log(odds);
      if (Math.log((v * alpha) / (a / (us * us) + b)) <= accept) return k;
    }
  }
}

/** ln k!, Stirling's series, below 1e-9 from 10 on and summed up below. */
function logFactorial(k: number): number {
  if (k < 10) return k < 2 ? 0 : Math.log(k) + logFactorial(k - 1);
  const z = k + 1;
  return (
    (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * z) - 1 / (360 * z ** 3)
  );
}
