import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** What the platform itself measures in every service. Times in seconds, as Prometheus wants them. */
export interface Metrics {
  readonly httpSeconds: Histogram<'method' | 'route' | 'status'>;
  readonly loopRuns: Counter<'loop' | 'outcome'>;
  readonly loopSuccessAt: Gauge<'loop'>;
  readonly loopSeconds: Histogram<'loop'>;
  readonly lagRecords: Gauge<'group' | 'topic' | 'partition'>;
  readonly lagSeconds: Gauge<'group' | 'topic' | 'partition'>;
  readonly progressAt: Gauge<'group' | 'topic' | 'partition'>;
  readonly deadLetters: Counter<'group' | 'topic' | 'code'>;
  readonly stuck: Gauge<'group' | 'topic'>;
  readonly unknownTypes: Counter<'group'>;
  readonly outboxOwing: Gauge;
  readonly outboxSeconds: Gauge;
  readonly outboxFailures: Counter<'collection' | 'doing'>;
  readonly authRefused: Counter<'code'>;
}

const QUICK = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function createMetrics(registry: Registry): Metrics {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Counter<L>({ name: `tidegate_${name}`, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Gauge<L>({ name: `tidegate_${name}`, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Histogram<L>({ name: `tidegate_${name}`, help, labelNames, buckets: QUICK, registers });
  return {
    httpSeconds: histogram(
      'http_request_duration_seconds',
      'Time to answer a request.',
      'method',
      'route',
      'status',
    ),
    loopRuns: counter('loop_runs_total', 'Runs of a control loop.', 'loop', 'outcome'),
    loopSuccessAt: gauge(
      'loop_last_success_timestamp_seconds',
      'When a control loop last succeeded.',
      'loop',
    ),
    loopSeconds: histogram(
      'loop_run_duration_seconds',
      'Time of one run of a control loop.',
      'loop',
    ),
    lagRecords: gauge('bus_lag_records', 'Records not yet handled.', 'group', 'topic', 'partition'),
    lagSeconds: gauge(
      'bus_lag_seconds',
      'Age of the oldest record not yet handled.',
      'group',
      'topic',
      'partition',
    ),
    progressAt: gauge(
      'bus_last_progress_timestamp_seconds',
      'When a record was last handled.',
      'group',
      'topic',
      'partition',
    ),
    deadLetters: counter('bus_dead_letters_total', 'Records given up.', 'group', 'topic', 'code'),
    stuck: gauge('bus_stuck', '1 while a handler is past its deadline.', 'group', 'topic'),
    unknownTypes: counter(
      'bus_unknown_types_total',
      'Records of a type that this release does not know.',
      'group',
    ),
    outboxOwing: gauge('outbox_owing_documents', 'Documents that owe messages to the bus.'),
    outboxSeconds: gauge('outbox_age_seconds', 'Time for which some document has owed messages.'),
    outboxFailures: counter(
      'outbox_failures_total',
      'Messages that could not be published or cleared at once.',
      'collection',
      'doing',
    ),
    authRefused: counter(
      'auth_refused_total',
      'Requests refused for their key, role or environment.',
      'code',
    ),
  };
}
