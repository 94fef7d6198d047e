/** What a function could find out about the moment that it runs in. */
export interface Moment {
  readonly now: number;
  readonly random: number;
}

/** Two moments that differ in all that a pure function does not see. */
export const moments: readonly [Moment, Moment] = [
  { now: 1_700_000_000_000, random: 0.2 },
  { now: 1_900_000_000_123, random: 0.8 },
];

/** Runs a synchronous function as if it were that moment: what depends on it shows, and shows again the next time. */
export function during<T>({ now, random }: Moment, run: () => T): T {
  const { Date: realDate, Math: chance } = globalThis;
  const { random: realRandom } = chance;
  globalThis.Date = new Proxy(realDate, {
    construct: (target, given: unknown[]) =>
      Reflect.construct(target, given.length === 0 ? [now] : given) as Date,
    apply: () => new realDate(now).toString(),
    get: (target, name) => (name === 'now' ? () => now : Reflect.get(target, name)),
  });
  chance.random = () => random;
  try {
    return run();
  } finally {
    globalThis.Date = realDate;
    chance.random = realRandom;
  }
}
