import type { MistypedPort } from '@tidegate/evaluation';
import { Counter, Gauge, type Registry } from 'prom-client';

export interface FlagMetrics {
  /** Asked when somebody reads the metrics. */
  streams(open: () => number): void;
  streamCut(): void;
  readonly mistyped: MistypedPort;
}

export function flagMetrics(registry: Registry): FlagMetrics {
  const registers = [registry];
  const cut = new Counter({
    name: 'tidegate_flag_streams_cut_total',
    help: 'Streams cut off because their reader did not keep up.',
    registers,
  });
  const mistyped = new Counter({
    name: 'tidegate_flag_mistyped_total',
    help: 'Comparisons that could not be made here, since an attribute or an operand has the wrong type.',
    labelNames: ['of', 'operator'],
    registers,
  });
  return {
    streams(open) {
      const gauge: Gauge = new Gauge({
        name: 'tidegate_flag_streams_open',
        help: 'Streams of events that applications hold open.',
        registers,
        collect: () => gauge.set(open()),
      });
    },
    streamCut: () => cut.inc(),
    mistyped: ({ of, operator }) => mistyped.inc({ of, operator }),
  };
}
