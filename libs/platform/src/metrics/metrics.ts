import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { RequestTimes } from './request-times.ts';

const QUICK = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const PLACE = ['group', 'topic', 'partition'] as const;

/** What the platform itself measures in every service. Times in seconds, as Prometheus wants them. */
export type Metrics = ReturnType<typeof createMetrics>;

export const createMetrics = (registry: Registry) => ({
  ...busMetrics(registry),
  ...loopMetrics(registry),
  ...pagerMetrics(registry),
  requestTimes: new RequestTimes(),
  authRefused: new Counter({
    name: 'tidegate_auth_refused_total',
    help: 'Requests refused for their key, role or environment.',
    labelNames: ['code'],
    registers: [registry],
  }),
  rateLimited: new Counter({
    name: 'tidegate_rate_limited_total',
    help: 'Requests refused because their key or address asks too often.',
    labelNames: ['kind'],
    registers: [registry],
  }),
});

function busMetrics(registry: Registry) {
  const registers = [registry];
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Gauge<L>({ name: `tidegate_${name}`, help, labelNames, registers });
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter<L>({ name: `tidegate_${name}`, help, labelNames, registers });
  return {
    lagRecords: gauge('bus_lag_records', 'Records not yet handled.', PLACE),
    lagSeconds: gauge('bus_lag_seconds', 'Age of the oldest record not yet handled.', PLACE),
    progressAt: gauge('bus_progress_timestamp_seconds', 'When a record was last handled.', PLACE),
    stuck: gauge('bus_stuck', '1 while a handler is past its deadline.', ['group', 'topic']),
    deadLetters: counter('bus_dead_letters_total', 'Records given up.', [
      'group',
      'topic',
      'reason',
    ]),
    unknownTypes: counter('bus_unknown_types_total', 'Records of unknown type.', ['group']),
    passedOver: counter('bus_passed_over_total', 'Records that a view cannot read.', ['code']),
    outboxOwing: gauge('outbox_owing_documents', 'Documents that owe messages to the bus.', []),
    outboxSeconds: gauge('outbox_age_seconds', 'For how long some document has owed messages.', []),
    outboxFailures: counter('outbox_failures_total', 'Messages not published or cleared at once.', [
      'collection',
      'doing',
    ]),
  };
}

const pagerMetrics = (registry: Registry) => ({
  pagerConfigured: new Gauge({
    name: 'tidegate_pager_configured',
    help: '1 if a person is paged past the bus, 0 if PAGER_WEBHOOK_URL is not set.',
    registers: [registry],
  }),
  pagerFiring: new Gauge({
    name: 'tidegate_pager_firing_conditions',
    help: 'What a person was paged for and that is not over.',
    registers: [registry],
  }),
  pages: new Counter({
    name: 'tidegate_pager_pages_total',
    help: 'Pages to whoever is on call.',
    labelNames: ['condition', 'kind'],
    registers: [registry],
  }),
  pageAttempts: new Counter({
    name: 'tidegate_pager_attempts_total',
    help: 'Attempts to deliver a page, and pages given up.',
    labelNames: ['outcome'],
    registers: [registry],
  }),
});

const loopMetrics = (registry: Registry) => ({
  loopRuns: new Counter({
    name: 'tidegate_loop_runs_total',
    help: 'Runs of a control loop.',
    labelNames: ['loop', 'outcome'],
    registers: [registry],
  }),
  loopSuccessAt: new Gauge({
    name: 'tidegate_loop_last_success_timestamp_seconds',
    help: 'When a control loop last succeeded.',
    labelNames: ['loop'],
    registers: [registry],
  }),
  loopSeconds: new Histogram({
    name: 'tidegate_loop_run_duration_seconds',
    help: 'Time of one run of a control loop.',
    labelNames: ['loop'],
    buckets: QUICK,
    registers: [registry],
  }),
});
