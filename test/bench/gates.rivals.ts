import type { Seen } from './gates.seen.ts';
import type { Trace } from './gates.traffic.ts';

/** How a rule is set: all but the last of its options, which is a ladder of values that are tried together. */
export interface Setting {
  readonly everyMs: number;
  readonly windowMs: number;
  /** How many times the limit a window's rate must be above to count as bad. */
  readonly times: number;
}

/** Another tool's rule, as its documentation and code describe it. */
export interface Rival {
  readonly name: string;
  /** What the last option is called, and its values, ascending: the rule is slower with each. */
  readonly option: string;
  readonly ladder: readonly number[];
  readonly settings: readonly Setting[];
  /** Its defaults, and the example of its documentation. */
  readonly usual: readonly {
    readonly label: string;
    readonly setting: Setting;
    readonly step: number;
  }[];
  /** For each step of the ladder the interval in which it rolls back, Infinity if it does not. */
  decide(seen: Seen, until: number, limits: readonly number[], setting: Setting): number[];
}

const S = 1_000;
const MIN = 60 * S;
const TIMES = [1, 1.25, 1.5, 2, 3];
const grid = (pairs: readonly (readonly [everyMs: number, windowMs: number])[]): Setting[] =>
  pairs.flatMap(([everyMs, windowMs]) => TIMES.map((times) => ({ everyMs, windowMs, times })));
const counts = (most: number) => Array.from({ length: most }, (_, i) => i);

/**
 * Flagger: each tick that fails adds one to failedChecks, which good ticks never take back; a later tick that finds it at
 * the threshold rolls back. No value, NaN and a failed query fail the tick.
 */
export const flagger: Rival = {
  name: 'flagger',
  option: 'threshold',
  ladder: counts(40).map((i) => i + 1),
  settings: grid([
    [10 * S, 10 * S],
    [10 * S, MIN],
    [30 * S, 30 * S],
    [MIN, MIN],
    [2 * MIN, 2 * MIN],
    [5 * MIN, 5 * MIN],
  ]),
  usual: [
    { label: 'defaults', setting: { everyMs: MIN, windowMs: MIN, times: 1 }, step: 1 },
    { label: 'example', setting: { everyMs: MIN, windowMs: MIN, times: 1 }, step: 10 },
  ],
  decide({ trace, signals }, until, limits, { everyMs, windowMs, times }) {
    const { every, window } = inIntervals(trace, everyMs, windowMs);
    const at = this.ladder.map(() => Infinity);
    let failed = 0;
    for (let tick = every - 1; tick < until && failed < at.length; tick += every) {
      const fails =
        trace.unread[tick] === 'outage' ||
        signals.some((signal, i) => !(Number(signal.rate(tick, window)) <= limits[i]! * times));
      if (!fails) continue;
      at[failed] = tick + every < until ? tick + every : Infinity;
      failed += 1;
    }
    return at;
  },
};

const ERROR_LIMIT = 4;
/**
 * Argo Rollouts, a background analysis with a success condition: more failed measurements than failureLimit abort, also
 * NaN. An empty result or a failed query is an error, tried again after 10 s; more than four in a row abort.
 */
export const argo: Rival = {
  name: 'argo-rollouts',
  option: 'failureLimit',
  ladder: counts(40),
  settings: grid([
    [10 * S, MIN],
    [30 * S, MIN],
    [MIN, MIN],
    [10 * S, 5 * MIN],
    [MIN, 5 * MIN],
    [5 * MIN, 5 * MIN],
    [MIN, 15 * MIN],
    [5 * MIN, 15 * MIN],
    [5 * MIN, 60 * MIN],
  ]),
  usual: [
    { label: 'defaults', setting: { everyMs: 5 * MIN, windowMs: 5 * MIN, times: 1 }, step: 0 },
    { label: 'example', setting: { everyMs: 5 * MIN, windowMs: 5 * MIN, times: 1 }, step: 3 },
  ],
  decide({ trace, signals }, until, limits, { everyMs, windowMs, times }) {
    const { every, window } = inIntervals(trace, everyMs, windowMs);
    const retry = inIntervals(trace, 10 * S, 0).every;
    const each = signals.map((signal, i) => {
      const at = this.ladder.map(() => Infinity);
      const aborted = (from: number, time: number) => at.map((t, k) => (k < from ? t : time));
      let [failed, errors] = [0, 0];
      for (let t = every - 1; t < until && failed < at.length;) {
        const rate = trace.unread[t] === 'outage' ? undefined : signal.rate(t, window);
        errors = rate === undefined ? errors + 1 : 0;
        if (errors > ERROR_LIMIT) return aborted(failed, t);
        if (rate !== undefined && !(rate <= limits[i]! * times)) {
          at[failed] = t;
          failed += 1;
        }
        t += rate === undefined ? retry : every;
      }
      return at;
    });
    return this.ladder.map((_, k) => Math.min(...each.map((at) => at[k]!)));
  },
};

/**
 * A Prometheus alert with `for`: pending at the first evaluation that is true, firing when it has stayed so for that
 * long. No value and NaN end it; while Prometheus is away nothing changes, and the time goes on.
 */
export const alert: Rival = {
  name: 'prometheus-alert',
  option: 'for (s)',
  ladder: [0, 15, 30, 60, 120, 180, 300, 600, 900, 1_800],
  settings: grid(
    [15 * S, MIN].flatMap((every) =>
      [1, 2, 5, 10, 15, 30, 60].map((window) => [every, window * MIN] as const),
    ),
  ),
  usual: [
    { label: 'defaults', setting: { everyMs: MIN, windowMs: 5 * MIN, times: 1 }, step: 0 },
    { label: 'example', setting: { everyMs: MIN, windowMs: 5 * MIN, times: 1 }, step: 600 },
  ],
  decide({ trace, signals }, until, limits, { everyMs, windowMs, times }) {
    const { every, window } = inIntervals(trace, everyMs, windowMs);
    const at = this.ladder.map(() => Infinity);
    for (const [i, signal] of signals.entries()) {
      let since = -1;
      for (let t = every - 1; t < until; t += every) {
        if (trace.unread[t] === 'outage') continue;
        if (!(Number(signal.rate(t, window)) > limits[i]! * times)) since = -1;
        else if (since < 0) since = t;
        if (since < 0) continue;
        const lasted = ((t - since) * trace.intervalMs) / S;
        for (let k = 0; k < at.length && this.ladder[k]! <= lasted; k += 1)
          at[k] = Math.min(at[k]!, t);
      }
    }
    return at;
  },
};

export const rivals: readonly Rival[] = [flagger, argo, alert];

const inIntervals = ({ intervalMs }: Trace, everyMs: number, windowMs: number) => ({
  every: Math.max(1, Math.round(everyMs / intervalMs)),
  window: Math.max(1, Math.round(windowMs / intervalMs)),
});
