import { type OutgoingMessage, SecurityEventRecorded } from '@tidegate/contracts';
import { eventually } from '@tidegate/kernel/testing';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import type { Bus, BusReport, Delivery } from './bus.port.ts';
import { KafkaBus } from './bus.kafka.ts';
import type { KafkaBudgets, KafkaBusOptions } from './options.kafka.ts';

export const QUICK: Partial<KafkaBudgets> = {
  session: 2_000,
  heartbeat: 400,
  rebalance: 5_000,
  fetch: 100,
  commitEvery: 100,
  publish: 3_000,
  ask: 2_000,
  request: 2_000,
  outage: 1_000,
};
/** Of a broker that allows sessions as short. */
export const QUICK_BROKER = {
  'group.min.session.timeout.ms': '500',
  'offset.retention.check.interval.ms': '500',
};
export const { topic: EVENTS, type: COUNTED } = SecurityEventRecorded;
const KEYS = 24;

export const event = (n: number, key = `key-${n % KEYS}`): OutgoingMessage => ({
  topic: EVENTS,
  type: COUNTED,
  key,
  data: { service: key, event: 'counted', message: String(n), details: {} },
  metadata: { id: `m-${n}`, source: 'spec', at: 1_000, actor: 'spec', correlationId: 'c' },
});
export const numberOf = ({ message }: Delivery): number =>
  Number((message.data as { message: string }).message);
export const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, n) => from + n);

/** Waits for the cluster, which takes its time. */
export const until = (check: () => unknown, withinMs = 20_000): Promise<unknown> =>
  eventually(check, withinMs);

/** Specs are an edge. */
export interface Edge {
  readonly now: () => number;
  readonly random: () => number;
}

/** What a spec opened, under one prefix; closed in reverse. */
export class KafkaUnderTest {
  readonly url: string;
  readonly #edge: Edge;
  readonly prefix = `g${randomUUID()}.`;
  readonly #closing: (() => unknown)[] = [];

  constructor(url: string, edge: Edge) {
    this.url = url;
    this.#edge = edge;
  }

  async close(): Promise<void> {
    for (const close of this.#closing.splice(0).reverse()) await close();
  }

  async openBus(budgets: Partial<KafkaBudgets> = {}, aheadMs = 0): Promise<KafkaBus> {
    return this.#openWith({
      clock: { now: () => this.#edge.now() + aheadMs },
      budgets: { ...QUICK, ...budgets },
    });
  }

  #openWith(options: Partial<KafkaBusOptions>): KafkaBus {
    const bus = new KafkaBus({
      brokers: [this.url],
      clientId: 'spec',
      prefix: this.prefix,
      replication: 1,
      clock: { now: this.#edge.now },
      ids: { next: randomUUID },
      random: { next: this.#edge.random },
      source: 'spec',
      ...options,
    });
    this.#closing.push(() => bus.close());
    return bus;
  }

  /** A member in a process of its own. */
  async child(): Promise<Child> {
    const options = {
      brokers: [this.url],
      prefix: this.prefix,
      budgets: QUICK,
      topic: EVENTS,
      type: COUNTED,
    };
    const flags = ['--input-type=module', '--disable-warning=ExperimentalWarning'];
    const started: ChildProcessWithoutNullStreams = spawn(
      process.execPath,
      [...flags, '-e', PROGRAM, JSON.stringify(options)],
      { cwd: import.meta.dirname },
    );
    let errors = '';
    started.stderr.on('data', (data) => (errors += String(data)));
    this.#closing.push(() => started.kill('SIGKILL'));
    const lines: string[] = [];
    createInterface(started.stdout).on('line', (line) => lines.push(line));
    await until(() => lines.includes('joined'));
    return {
      numbers: () => lines.filter((line) => line !== 'joined').map(Number),
      signal: (name: NodeJS.Signals) => void started.kill(name),
      errors: () => errors,
    };
  }
}

export interface Child {
  numbers(): number[];
  signal(name: NodeJS.Signals): void;
  errors(): string;
}

const PROGRAM = `
  import { openKafkaBus } from ${JSON.stringify(new URL('bus.kafka.ts', import.meta.url))};
  const { brokers, prefix, budgets, topic, type } = JSON.parse(process.argv[1]);
  let count = 0;
  const bus = await openKafkaBus({
    brokers, prefix, budgets, clientId: 'child', replication: 1, source: 'child',
    clock: { now: Date.now }, ids: { next: () => process.pid + '-' + ++count }, random: { next: Math.random },
  });
  await bus.subscribe({
    group: 'g', topics: [topic], types: new Set([type]),
    handle: async ({ message }) => console.log(message.data.message),
  });
  console.log('joined');
  setInterval(() => {}, 1_000);
`;

export async function join(bus: Bus, handle: (delivery: Delivery) => unknown = () => undefined) {
  const deliveries: Delivery[] = [];
  const running = await bus.subscribe({
    group: 'g',
    topics: [EVENTS],
    types: new Set([COUNTED]),
    handle: async (delivery) => {
      deliveries.push(delivery);
      await handle(delivery);
    },
  });
  const partitions = async () =>
    (await bus.lag()).filter(({ topic }) => topic === EVENTS).map(({ partition }) => partition);
  return { bus, running, deliveries, partitions, numbers: () => deliveries.map(numberOf) };
}

export const allOf = (...members: { numbers(): number[] }[]): Set<number> =>
  new Set(members.flatMap((member) => member.numbers()));

export const share = async (
  ...members: { partitions(): Promise<number[]> }[]
): Promise<boolean> => {
  const parts = await Promise.all(members.map((member) => member.partitions()));
  return parts.every(({ length }) => length > 0) && parts.flat().length === 6;
};

export const reportsOf = (bus: Bus): BusReport[] => {
  const reports: BusReport[] = [];
  bus.onReport((report) => reports.push(report));
  return reports;
};

/** Publishes one after another, each until it works, as an outbox does, until it is told to end. */
export function load(bus: Bus, from = 0) {
  let next = from;
  const refusals: unknown[] = [];
  const ending = new AbortController();
  const run = async () => {
    while (!ending.signal.aborted) {
      await bus.publish([event(next)]).then(
        () => (next += 1),
        (error: unknown) => refusals.push(error),
      );
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    return next;
  };
  const running = run();
  return {
    refusals,
    sent: () => next,
    end: () => {
      ending.abort();
      return running;
    },
  };
}
