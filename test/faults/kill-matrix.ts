import type { FaultPoint } from '@tidegate/store';
import type { ServiceName } from './process-house.ts';

/** The process of a service that comes there is killed there. */
export interface Case {
  readonly service: ServiceName;
  readonly point: FaultPoint;
  /** Of what is changed there: a regular expression on `collection/id`. */
  readonly document: string;
  /** At which time at the latest: so often a rollout comes there in any case. */
  readonly times: number;
  /** What the dead process had claimed must first run out. */
  readonly isSlow?: true;
}

const write = (
  service: ServiceName,
  document: string,
  times: readonly [number, number, number, number],
): readonly Case[] =>
  (['execute.loaded', 'execute.saved', 'outbox.published', 'outbox.cleared'] as const).map(
    (point, index) => ({ service, document, point, times: times[index] ?? 1 }),
  );

/** Each service, at each moment of each kind of effect that it has. */
export const matrix: readonly Case[] = [
  ...write('flag-service', '^flags/', [4, 4, 6, 6]),
  ...write('metrics-gatekeeper', '^rollouts/', [5, 5, 8, 8]),
  ...write('migration-runner', '^migration-runs/', [1, 1, 1, 1]),
  { service: 'migration-runner', document: '', point: 'batch.read', times: 5, isSlow: true },
  { service: 'migration-runner', document: '', point: 'batch.written', times: 5, isSlow: true },
  ...write('notifier', '^notifications/', [1, 1, 1, 1]),
  { service: 'notifier', document: '', point: 'send.due', times: 4, isSlow: true },
  { service: 'notifier', document: '', point: 'send.sent', times: 4, isSlow: true },
  ...write('audit-sink', '^audit-seal/', [1, 1, 1, 1]),
  { service: 'audit-sink', document: '', point: 'append.received', times: 2 },
  { service: 'audit-sink', document: '', point: 'append.stored', times: 2 },
  { service: 'audit-sink', document: '', point: 'append.kept', times: 2 },
];

export const titleOf = ({ service, point }: Case): string => `${service} at ${point}`;

/** One case of each of `count` services, none of them slow. */
export function someOf(random: () => number, count: number): readonly Case[] {
  const services = shuffled([...new Set(matrix.map(({ service }) => service))], random).slice(
    0,
    count,
  );
  return services.flatMap((service) =>
    shuffled(
      matrix.filter((each) => each.service === service && !each.isSlow),
      random,
    ).slice(0, 1),
  );
}

function shuffled<T>(all: readonly T[], random: () => number): T[] {
  return all
    .map((each) => [random(), each] as const)
    .sort(([a], [b]) => a - b)
    .map(([, each]) => each);
}
