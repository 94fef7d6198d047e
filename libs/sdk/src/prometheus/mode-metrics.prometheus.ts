import { Counter, Histogram, register as globalRegister, type Registry } from 'prom-client';
import type { ModeMetrics, ModeOutcome } from '../nest/mode-metrics.port.ts';
import type { Mode } from '../tidegate.port.ts';
import { Bounded } from './bounded.ts';

export interface ModeMetricsOptions {
  /** Default: prom-client's global one. */
  readonly register?: Registry;
  /** What the names begin with, e.g. `checkout_`. Default none. */
  readonly prefix?: string;
  /** How many endpoints are told apart; later ones count as `other`. Default 200. */
  readonly mostEndpoints?: number;
}

const OUTCOMES: Readonly<Record<Mode, readonly ModeOutcome[]>> = {
  off: ['not-validated'],
  warn: ['valid', 'violations', 'validator-failed'],
  enforce: ['valid', 'rejected', 'validator-failed'],
};
/** Sizes of violation counts, so that the label has four values. */
const SIZES = [
  [1, '1'],
  [5, '2-5'],
  [10, '6-10'],
  [Infinity, '11+'],
] as const;
const SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1];

const sizeOf = (violations: number): string =>
  SIZES.find(([most]) => violations <= most)?.[1] ?? '11+';

/**
 * What ModeGuard counts, by endpoint: `<prefix>stage_validation_requests_total{mode,endpoint,outcome}`,
 * `…stage_validation_violations_total{mode,endpoint,bucket}` (requests by how many rules they violate),
 * `…stage_validation_duration_seconds{mode,endpoint}`, `…stage_deprecation_headers_total{endpoint}`. Coverage of the
 * headers is the last one divided by the requests in `warn` with outcome `violations`.
 */
export function modeMetrics({
  register = globalRegister,
  prefix = '',
  mostEndpoints = 200,
}: ModeMetricsOptions = {}): ModeMetrics {
  const endpoints = new Bounded(mostEndpoints);
  const counters = countersOf(prefix, register);
  const seen = new Set<string>();
  const labelOf = (endpoint: string): string => {
    const label = endpoints.label(endpoint);
    if (!seen.has(label)) startAtZero(counters, label);
    seen.add(label);
    return label;
  };
  return {
    judged: ({ mode, endpoint: pattern, outcome, violations, seconds }) => {
      const endpoint = labelOf(pattern);
      counters.requests.inc({ mode, endpoint, outcome });
      counters.duration.observe({ mode, endpoint }, seconds);
      if (violations > 0) counters.violations.inc({ mode, endpoint, bucket: sizeOf(violations) });
    },
    deprecationSent: (endpoint) => counters.headers.inc({ endpoint: labelOf(endpoint) }),
  };
}

type Counters = ReturnType<typeof countersOf>;

function countersOf(prefix: string, register: Registry) {
  const registers = [register];
  return {
    requests: new Counter({
      name: `${prefix}stage_validation_requests_total`,
      help: 'Requests that came to the guard, by mode and what became of them.',
      labelNames: ['mode', 'endpoint', 'outcome'] as const,
      registers,
    }),
    violations: new Counter({
      name: `${prefix}stage_validation_violations_total`,
      help: 'Requests with violations, by how many they have.',
      labelNames: ['mode', 'endpoint', 'bucket'] as const,
      registers,
    }),
    duration: new Histogram({
      name: `${prefix}stage_validation_duration_seconds`,
      help: 'What the guard took of the time of a request.',
      labelNames: ['mode', 'endpoint'] as const,
      buckets: SECONDS,
      registers,
    }),
    headers: new Counter({
      name: `${prefix}stage_deprecation_headers_total`,
      help: 'Answers that went out with deprecation headers.',
      labelNames: ['endpoint'] as const,
      registers,
    }),
  };
}

/** A counter that appears with its first failure hides that one. */
function startAtZero({ requests, violations, headers }: Counters, endpoint: string): void {
  for (const [mode, outcomes] of Object.entries(OUTCOMES)) {
    for (const outcome of outcomes) requests.inc({ mode, endpoint, outcome }, 0);
    if (mode !== 'off')
      for (const [, bucket] of SIZES) violations.inc({ mode, endpoint, bucket }, 0);
  }
  headers.inc({ endpoint }, 0);
}
