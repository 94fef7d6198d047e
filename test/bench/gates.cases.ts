import type { Shape } from './gates.plan.ts';
import {
  burstsAbove,
  burstsBelow,
  bursty,
  clumps,
  gaps,
  type Model,
  outage,
  resets,
  steady,
} from './gates.models.ts';

export const RISK = 0.01;
export const LIMIT = 0.01;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Three stages of 20 minutes. */
export const short: Shape = {
  checkEveryMs: 5_000,
  holdsMs: [20 * MINUTE, 20 * MINUTE, 20 * MINUTE],
  limits: [LIMIT],
  risk: RISK,
};
/** A day, then two stages of an hour. */
export const long: Shape = { ...short, holdsMs: [24 * HOUR, HOUR, HOUR] };
/** For who knows that a healthy version fails half as often as the usual limit allows. */
export const tight = (shape: Shape): Shape => ({ ...shape, limits: [LIMIT / 2] });
export const FIVE = [LIMIT, 0.002, 0.005, 0.02, 0.05];
export const five = (shape: Shape): Shape => ({ ...shape, limits: FIVE });
/** Compared with the old version, of which it may be a tenth worse. */
const compared: Shape = { ...short, margin: 0.1 };

/** Requests per second of the canary, the same in every stage. */
export const RATES = [1, 10, 100, 1_000, 10_000];
/** How many times the limit a regression is. */
export const FACTORS = [1.5, 2, 3, 5, 10, 50];

/** Healthy traffic: each guard's rate of failures as a multiple of its limit, or for a comparison as it is. */
export interface Null {
  readonly name: string;
  readonly model: Model;
  readonly shape: Shape;
  readonly requestsPerSecond: number;
  readonly healthy: number;
  /** The baseline's requests for each of the canary's. */
  readonly baseline: number;
  /** Whether the bound is promised for it; if not, why not. */
  readonly promised: true | string;
}

const atLimit = {
  model: steady,
  shape: short,
  requestsPerSecond: 100,
  healthy: 1,
  baseline: 0,
  promised: true,
} as const;
const alike = { ...atLimit, shape: compared, baseline: 4, healthy: 1 } as const;
const number = (n: number) => String(n).replaceAll(/\B(?=(\d{3})+$)/g, ' ');

/** Listed before anything was measured. */
export const nulls: readonly Null[] = [
  ...RATES.map((requestsPerSecond) => ({
    ...atLimit,
    name: `at the limit, ${number(requestsPerSecond)}/s`,
    requestsPerSecond,
  })),
  {
    ...atLimit,
    name: 'at the limit, 10/s, with a risk of 10 %',
    requestsPerSecond: 10,
    shape: { ...short, risk: 0.1 },
  },
  { ...atLimit, name: 'at half the limit', healthy: 0.5 },
  ...[bursty, burstsBelow, resets, gaps, outage].map((model) => ({
    ...atLimit,
    name: `at the limit, ${model.name}`,
    model,
  })),
  { ...atLimit, name: 'five guards, all at their limits', shape: five(short) },
  {
    ...atLimit,
    name: 'five guards, bursts of requests shared by all',
    shape: five(short),
    model: bursty,
  },
  { ...alike, name: 'compared: as bad as the old version' },
  {
    ...alike,
    name: 'compared: bursts of failures in both versions',
    model: burstsAbove,
  },
  { ...alike, name: 'compared: both far above any limit', healthy: 10 },
  {
    ...atLimit,
    name: 'bursts of failures above the limit, below it on average',
    model: burstsAbove,
    promised:
      'while a burst lasts the limit is broken: a limit is a promise about every moment, not about the average',
  },
  {
    ...atLimit,
    name: 'failures in clumps of five, at the limit on average',
    model: clumps,
    promised:
      'one cause fails five requests: they are not five pieces of evidence, and the limit is broken while it lasts',
  },
];
