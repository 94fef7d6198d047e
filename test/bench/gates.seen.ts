import type { Trace } from './gates.traffic.ts';

/** What a range query over the counters of one metric gives. */
export interface Signal {
  /** NaN: no requests in the window. Undefined: fewer than two samples in it. */
  rate(at: number, window: number): number | undefined;
}

export interface Seen {
  readonly trace: Trace;
  readonly signals: readonly Signal[];
}

/** Counters as Prometheus sees them: where one falls, it began anew. Without extrapolation, to the rule's advantage. */
export function seenBy(trace: Trace): Seen {
  const { canary, unread } = trace;
  const seen = Int32Array.from({ length: unread.length + 1 }, () => 0);
  for (let i = 1; i < seen.length; i += 1)
    seen[i] = unread[i - 1] === 'read' ? i : (seen[i - 1] ?? 0);
  const signals = canary.map(({ counterOfBad, counterOfRequests }): Signal => {
    const bad = increases(counterOfBad, seen);
    const requests = increases(counterOfRequests, seen);
    return {
      rate(at, window) {
        const last = seen[at + 1] ?? 0;
        let first = Math.max(0, at + 1 - window);
        while (first < last && seen[first] !== first) first += 1;
        if (first >= last) return undefined;
        return (bad[last]! - bad[first]!) / (requests[last]! - requests[first]!);
      },
    };
  });
  return { trace, signals };
}

/** Index 0 is before the first interval. */
function increases(counter: Float64Array, seen: Int32Array): Float64Array {
  const sums = new Float64Array(counter.length + 1);
  let before = 0;
  for (let i = 1; i < sums.length; i += 1) {
    sums[i] = sums[i - 1]!;
    if (seen[i] !== i) continue;
    const now = counter[i - 1]!;
    sums[i]! += now < before ? now : now - before;
    before = now;
  }
  return sums;
}
