import { type Command, type Decider, type Draft, type Ids, reject } from '@tidegate/kernel';
import { type OutgoingMessage, type Publish, stateTopic } from '@tidegate/contracts';
import { sequentialIds } from '@tidegate/kernel/testing';
import type { Collection } from './documents.port.ts';
import { createExecute } from './execute.handler.ts';
import type { Aggregate, Outcome } from './execute.port.ts';
import { type Faults, noFaults } from './faults.port.ts';
import { createOutbox, type OutboxFailure } from './outbox.handler.ts';
import { memoryPublish } from './publish.memory.ts';
import type { Open, OpenStore } from './store.contract.ts';
import type { Store } from './store.port.ts';

/** A flag as small as the suites need it: it remembers which commands changed it, in their order. */
export interface SampleFlag {
  readonly on: boolean;
  readonly changedBy: readonly string[];
  readonly fence: number;
}

interface Data {
  readonly note?: string;
  readonly fence?: number;
  readonly kills?: boolean;
}
interface SampleCommand extends Command {
  readonly data: Data;
}

export const ID = 'production/checkout';
const ref = { environment: 'production', key: 'checkout' };

const decider: Decider<SampleFlag, SampleCommand, Draft> = {
  initial: { on: true, changedBy: [], fence: 0 },
  decide({ type, data, metadata: { id } }, flag) {
    const event = (name: string): Draft => ({ type: name, data: { ...ref, ...data, by: id } });
    switch (type) {
      case 'DisableFlag':
        if (!flag.on) return [];
        return [
          event('FlagDisabled'),
          { type: 'ResumeMigration', data: { run: 'm-7', by: id } },
          { type: 'PauseMigration', data: { run: 'm-7', by: id } },
        ];
      case 'EnableFlag':
        return flag.on ? reject('FLAG_ENABLED', 'It is on.') : [event('FlagEnabled')];
      case 'Check':
        return data.note ? [event('FlagChanged')] : [];
      case 'Mistake':
        return [event('FlagChanged'), { type: 'FlagMisspelt', data: {} }];
      default:
        if ((data.fence ?? Infinity) < flag.fence) return reject('RUN_FENCED', 'Another runs it.');
        return [
          event('FlagChanged'),
          ...(data.kills ? [{ type: 'PauseMigration', data: { run: 'm-7', by: id } }] : []),
        ];
    }
  },
  evolve(flag, { type, data }) {
    const { by, fence = flag.fence } = data as { by: string; fence?: number };
    const changedBy = [...flag.changedBy, by];
    if (type === 'FlagDisabled') return { ...flag, on: false, changedBy };
    if (type === 'FlagEnabled') return { ...flag, on: true, changedBy };
    return type === 'FlagChanged' ? { ...flag, changedBy, fence } : flag;
  },
};

export const flags: Collection<SampleFlag> = {
  name: 'flags',
  schemaVersion: 1,
  index: ({ on }) => ({ on }),
};

interface Process {
  readonly aggregate: Aggregate<SampleFlag, SampleCommand, Draft>;
  readonly failures: readonly OutboxFailure[];
  run(command: SampleCommand, id?: string): Promise<Outcome<SampleFlag>>;
  flush(id?: string): Promise<boolean>;
  relay(): Promise<{ published: number; failed: number }>;
}

export interface Setting extends OpenStore {
  readonly bus: ReturnType<typeof memoryPublish>;
  /** A service with its own memory, over the store that is there or a reopened one. */
  start(options?: { faults?: Faults; store?: Store; publish?: Publish }): Process;
  /** A command made now. */
  ask(type: string, id: string, data?: Data, source?: string): SampleCommand;
}

export async function setting(open: Open): Promise<Setting> {
  const opened = await open();
  const { clock } = opened;
  const bus = memoryPublish();
  const ids = sequentialIds('m');
  return {
    ...opened,
    bus,
    start: ({ faults = noFaults, store = opened.store, publish = bus.publish } = {}) =>
      startProcess({ store, clock, ids, faults, publish }),
    ask: (type, id, data = {}, source = 'cli') => ({
      type,
      data: { ...ref, ...data },
      metadata: { id, source, at: clock.now(), actor: 'ann', correlationId: 'r-42' },
    }),
  };
}

function startProcess({
  store,
  clock,
  ids,
  faults,
  publish,
}: {
  store: Store;
  clock: OpenStore['clock'];
  ids: Ids;
  faults: Faults;
  publish: Publish;
}): Process {
  const failures: OutboxFailure[] = [];
  const outbox = createOutbox({ publish, faults, onFailure: (failure) => failures.push(failure) });
  const trace = () => '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const execute = createExecute({ outbox, ids, clock, source: 'flag-service', faults, trace });
  const documents = store.documents(flags);
  const aggregate: Process['aggregate'] = {
    documents,
    decider,
    ticks: ['Check'],
    stateRecord: (_id, { on }) => ({
      type: 'FlagState',
      topic: stateTopic('production'),
      data: { ...ref, flag: { on } },
    }),
  };
  return {
    aggregate,
    failures,
    run: (command, id = ID) => execute(aggregate, id, command),
    flush: (id = ID) => outbox.flush(documents, id),
    relay: () => outbox.relay([documents]),
  };
}

/** What a reader of one topic sees that knows each message by its id: the first delivery of each, in order. */
export function firstDeliveries(
  published: readonly OutgoingMessage[],
  topic: string,
): readonly OutgoingMessage[] {
  const seen = new Set<string>();
  return published.filter(({ metadata: { id }, ...message }) => {
    if (message.topic !== topic || seen.has(id)) return false;
    seen.add(id);
    return true;
  });
}

/** Of each message its type and the command that caused it: `FlagChanged c-1`. */
export const told = (messages: readonly OutgoingMessage[]): string[] =>
  messages.map(({ type, metadata }) => `${type} ${metadata.causationId}`);
