import type { Draws } from './gates.random.ts';

/** How requests and their failures come. Factors: 1 is the usual number of requests, and the stated rate of failures. */
export interface Model {
  readonly name: string;
  /** By how much more requests there are than usual, interval by interval. */
  readonly volume: (draws: Draws) => () => number;
  /** By how much more of them fail than stated, the same for both arms. */
  readonly badness: (draws: Draws) => () => number;
  /** Failures come in clumps of so many. */
  readonly clump: number;
  /** Whether the interval's end cannot be read, and why. */
  readonly unread: (draws: Draws) => () => Unread;
  /** Whether the process began anew within the interval. */
  readonly resets: (draws: Draws) => () => boolean;
}
/** `gap`: this scrape is missing; `outage`: nobody can be asked about anything. */
export type Unread = 'read' | 'gap' | 'outage';

const always =
  <T>(value: T) =>
  () =>
  () =>
    value;

export const steady: Model = {
  name: 'steady',
  volume: always(1),
  badness: always(1),
  clump: 1,
  unread: always('read'),
  resets: always(false),
};

/** A state that lasts: entered and left with these probabilities in each interval. */
const spells = (enter: number, leave: number) => (draws: Draws) => {
  let inside = false;
  return () => (inside = inside ? !draws.chance(leave) : draws.chance(enter));
};
const between =
  (enter: number, leave: number, inside: number, outside: number) => (draws: Draws) => {
    const state = spells(enter, leave)(draws);
    return () => (state() ? inside : outside);
  };
const unreadIn = (kind: Unread, enter: number, leave: number) => (draws: Draws) => {
  const state = spells(enter, leave)(draws);
  return (): Unread => (state() ? kind : 'read');
};

/** Log-normal, with a memory of a minute and a half at 5 s intervals; its mean is 1. */
const wandering = (draws: Draws) => {
  const memory = 0.945;
  const spread = 0.7;
  let x = spread * draws.normal();
  return () => {
    x = memory * x + spread * Math.sqrt(1 - memory ** 2) * draws.normal();
    return Math.exp(x - spread ** 2 / 2);
  };
};

export const bursty: Model = { ...steady, name: 'bursts of requests', volume: wandering };
export const burstsBelow: Model = {
  ...bursty,
  name: 'bursts of failures up to the limit',
  badness: between(0.01, 0.1, 1, 0.3),
};
/** One interval in twenty has six times as many failures as the others: three times the limit, on average 62 % of it. */
export const burstsAbove: Model = {
  ...bursty,
  name: 'bursts of failures above the limit',
  badness: between(0.005, 0.1, 3, 0.5),
};
export const clumps: Model = { ...steady, name: 'failures in clumps of five', clump: 5 };
export const gaps: Model = {
  ...steady,
  name: 'gaps in scraping',
  unread: unreadIn('gap', 0.01, 0.05),
};
export const outage: Model = {
  ...steady,
  name: 'a source that is away for minutes',
  unread: unreadIn('outage', 0.003, 0.01),
};
/** Every 6 to 8 minutes at 5 s intervals. */
export const resets: Model = {
  ...steady,
  name: 'processes that begin anew',
  resets: (draws) => {
    let left = draws.between(72, 96);
    return () => {
      left -= 1;
      if (left > 0) return false;
      left = draws.between(72, 96);
      return true;
    };
  },
};
