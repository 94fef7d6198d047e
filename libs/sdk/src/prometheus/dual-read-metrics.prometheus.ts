import { Counter, Histogram, register as globalRegister, type Registry } from 'prom-client';
import type { ComparisonOutcome, DualReadMetrics } from '../dual-read/dual-read.port.ts';

export interface DualReadMetricsOptions {
  /** Default: prom-client's global one. */
  readonly register?: Registry;
  /** What the names begin with, e.g. `checkout_`. Default none. */
  readonly prefix?: string;
}

const OUTCOMES = [
  'match',
  'mismatch',
  'moved',
  'failed',
  'skipped',
] as const satisfies readonly ComparisonOutcome[];
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/**
 * What dual reads count: `<prefix>dual_reads_total{read,mode,side,outcome}`, `…dual_read_comparisons_total{read,mode,outcome}`
 * and the histogram `…dual_read_duration_seconds{read,side}`.
 */
export function dualReadMetrics({
  register = globalRegister,
  prefix = '',
}: DualReadMetricsOptions = {}): DualReadMetrics {
  const counters = countersOf(prefix, register);
  return {
    of: (read) => {
      startAtZero(counters, read);
      return {
        ended: ({ mode, side, outcome, seconds }) => {
          counters.reads.inc({ read, mode, side, outcome });
          counters.duration.observe({ read, side }, seconds);
        },
        compared: (mode, outcome) => {
          counters.comparisons.inc({ read, mode, outcome });
        },
      };
    },
  };
}

type Counters = ReturnType<typeof countersOf>;

function countersOf(prefix: string, register: Registry) {
  const registers = [register];
  return {
    reads: new Counter({
      name: `${prefix}dual_reads_total`,
      help: 'Readings by the old and by the new way, also those that nobody waited for.',
      labelNames: ['read', 'mode', 'side', 'outcome'] as const,
      registers,
    }),
    comparisons: new Counter({
      name: `${prefix}dual_read_comparisons_total`,
      help: 'Comparisons of both ways. moved: the same when both were read again.',
      labelNames: ['read', 'mode', 'outcome'] as const,
      registers,
    }),
    duration: new Histogram({
      name: `${prefix}dual_read_duration_seconds`,
      help: 'Time of a reading, by its side.',
      labelNames: ['read', 'side'] as const,
      buckets: SECONDS,
      registers,
    }),
  };
}

/** A counter that appears with its first mismatch hides that one. */
function startAtZero({ reads, comparisons }: Counters, read: string): void {
  for (const [mode, sides] of [
    ['off', ['old']],
    ['shadow', ['old', 'new']],
    ['new', ['old', 'new']],
  ] as const)
    for (const side of sides)
      for (const outcome of ['answered', 'failed']) reads.inc({ read, mode, side, outcome }, 0);
  for (const mode of ['shadow', 'new'])
    for (const outcome of OUTCOMES) comparisons.inc({ read, mode, outcome }, 0);
}
