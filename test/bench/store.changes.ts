import type { OutgoingMessage } from '@tidegate/contracts';
import type { Command, Draft } from '@tidegate/kernel';
import { createExecute, createOutbox, noFaults, type Store } from '@tidegate/store';
import type { Row } from './main.ts';

export const DOCUMENTS = 64;
const ROUNDS = 5;
const ROUND_MS = 1_000;
const CONCURRENCY = [1, 64];

/** One change of document `n`, all of it durable when it resolves. */
export type Change = (n: number) => Promise<unknown>;

export interface State {
  readonly count: number;
  readonly text: string;
}
export const state = (count: number): State => ({ count, text: 'x'.repeat(1_000) });
export const key = (n: number): string => `production/flag-${n}`;
let made = 0;
export const nextId = (): string => {
  made += 1;
  return `m-${made}`;
};

export const message = (n: number, type: string): OutgoingMessage => ({
  type,
  key: key(n),
  topic: 'flag.events',
  data: { environment: 'production', key: `flag-${n}`, reason: 'bench' },
  metadata: { id: nextId(), source: 'bench', at: 1_000, actor: 'bench', correlationId: 'c-1' },
});
export const answer = { outcome: 'changed', version: 1 } as const;

/** The two ways in which a document is changed. */
export interface Subject {
  readonly save: Change;
  readonly execute: Change;
  close(): Promise<void>;
}

/** Our two write paths: `save` alone, and `execute` with an outbox whose bus takes everything at once. */
export function tidegate(store: Store): Subject {
  const documents = store.documents<State>({
    name: 'flags',
    schemaVersion: 1,
    index: ({ count }) => ({ count }),
  });
  const outbox = createOutbox({ publish: async () => undefined, faults: noFaults });
  const execute = createExecute({
    outbox,
    ids: { next: nextId },
    clock: { now: Date.now },
    source: 'bench',
    faults: noFaults,
  });
  const aggregate = {
    documents,
    decider: {
      initial: state(0),
      decide: ({ data }: Command): readonly Draft[] => [{ type: 'FlagDisabled', data }],
      evolve: ({ count }: State) => state(count + 1),
    },
  };
  const tokens = new Map<number, number>();
  const save: Change = async (n) => {
    const token = tokens.get(n) ?? 0;
    const saved = await documents.save(
      key(n),
      {
        state: state(token),
        version: token + 1,
        mark: { source: 'bench', id: nextId(), answer },
        outbox: [message(n, 'FlagDisabled'), message(n, 'FlagCommandAnswered')],
      },
      token,
    );
    tokens.set(n, token + 1);
    await documents.clear(
      key(n),
      saved.outbox.map(({ seq }) => seq),
    );
  };
  const run: Change = (n) =>
    execute(aggregate, `executed/${key(n)}`, {
      type: 'DisableFlag',
      data: { environment: 'production', key: `flag-${n}`, reason: 'bench' },
      metadata: {
        id: nextId(),
        source: 'cli',
        at: Date.now(),
        actor: 'bench',
        correlationId: 'c-1',
      },
    });
  return { save, execute: run, close: () => store.close() };
}

async function round(change: Change, concurrency: number, latencies: number[]): Promise<number> {
  const began = performance.now();
  const end = began + ROUND_MS;
  let done = 0;
  const worker = async (n: number) => {
    for (let at = performance.now(); at < end;) {
      await change(n);
      const now = performance.now();
      latencies.push(now - at);
      at = now;
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, (_, n) => worker(n)));
  return (done / (performance.now() - began)) * 1_000;
}

const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? 0;

/** Changes and clears documents, in turns of a second each: ours first, then the peer's. */
export async function measure(
  report: (row: Row) => void,
  all: Readonly<Record<string, Subject>>,
): Promise<void> {
  const subjects = Object.keys(all);
  for (const what of ['save', 'execute'] as const)
    for (const concurrency of CONCURRENCY) {
      const rates: Record<string, number[]> = {};
      const latencies: Record<string, number[]> = {};
      for (let count = 0; count < ROUNDS; count += 1)
        for (const [name, subject] of Object.entries(all)) {
          const rate = await round(subject[what], concurrency, (latencies[name] ??= []));
          (rates[name] ??= []).push(rate);
        }
      tell(report, `${what}, ${concurrency} at a time`, subjects, rates, latencies);
    }
}

/** Every document of both ways has been changed `changes` times. */
export async function warmUp(subjects: readonly Subject[], changes: number): Promise<void> {
  for (const subject of subjects)
    for (const what of ['save', 'execute'] as const)
      for (let count = 0; count < changes; count += 1)
        await Promise.all(Array.from({ length: DOCUMENTS }, (_, n) => subject[what](n)));
}

function tell(
  report: (row: Row) => void,
  name: string,
  subjects: readonly string[],
  rates: Record<string, number[]>,
  latencies: Record<string, number[]>,
): void {
  const round = (value: number) => Number(value.toPrecision(4));
  for (const subject of subjects) {
    const rate = quantile(rates[subject] ?? [], 0.5);
    report({ case: name, subject, value: round(rate), unit: 'ops/s' });
    for (const [unit, q] of [
      ['ms p50', 0.5],
      ['ms p99', 0.99],
    ] as const)
      report({ case: name, subject, value: round(quantile(latencies[subject] ?? [], q)), unit });
  }
  const [own, peer] = subjects.map((subject) => quantile(rates[subject] ?? [], 0.5));
  const value = round(Number(own) / Number(peer));
  report({ case: name, subject: 'tidegate', value, unit: `of ${subjects[1]}` });
}
