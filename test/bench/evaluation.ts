import { type Evaluator, compile } from '@tidegate/evaluation';
import { FlagdCore } from '@openfeature/flagd-core';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Case, cases, contexts, keysOf, recordsOf } from './evaluation.cases.ts';
import { limitOf } from './evaluation.limit.ts';
import { flagdConfiguration, type Peer, peers } from './evaluation.peers.ts';
import type { Bench, Row } from './main.ts';

/** The subjects take turns, in slices so short that some of each are left alone by what else the machine does. */
const SLICE_MS = 4;
const ROUNDS = Number(process.env['ROUNDS'] ?? 100);
/** By count, not by time: what is compiled while others run is ready late. */
const WARM_UP_CHUNKS = 300;
const SIZES = (process.env['SIZES'] ?? '100,1000,10000').split(',').map(Number);
const CASES = cases.filter((name) => (process.env['CASES'] ?? name).includes(name));
const CHUNK = 500;
/** What else the machine does only ever makes a slice slower. */
const QUARTILE = 0.25;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Evaluates `count` times and says how often the answer was `wanted`. */
type Loop = (from: number, count: number) => number | Promise<number>;

/**
 * Compiled for each subject and case anew: a loop that all share would know none of them well. Contexts and flags go round
 * at different lengths, so that every flag meets every context.
 */
function loopOf(
  { peer, contexts, expression }: Peer,
  keys: readonly string[],
  wanted: unknown,
): Loop {
  const isAsync = expression.startsWith('await') ? 'async' : '';
  // oxlint-disable-next-line typescript/no-implied-eval
  const make = new Function(
    'peer, contexts, keys, wanted',
    `return ${isAsync} function loop(from, count) {
      let found = 0;
      for (let i = from; i < from + count; i += 1) {
        const key = keys[i % keys.length];
        const context = contexts[i % 99991];
        if ((${expression}) === wanted) found += 1;
      }
      return found;
    }`,
  ) as (...given: unknown[]) => Loop;
  return make(peer, contexts, keys, wanted);
}

/** One subject with its figures. */
class Runner {
  readonly subject: string;
  readonly nanoseconds: number[] = [];
  readonly bytes: number[] = [];
  readonly #loop: Loop;
  #at = 0;
  #found = 0;

  constructor(subject: string, loop: Loop) {
    this.subject = subject;
    this.#loop = loop;
  }

  async warmUp(): Promise<void> {
    for (let chunk = 0; chunk < WARM_UP_CHUNKS; chunk += 1) await this.#run(CHUNK);
  }

  async slice(): Promise<void> {
    const began = performance.now();
    const from = this.#at;
    let ms = 0;
    for (; ms < SLICE_MS; ms = performance.now() - began) await this.#run(CHUNK);
    this.nanoseconds.push((ms * 1e6) / (this.#at - from));
  }

  /** Where garbage was collected in between, the figure says nothing: a chunk seldom fills the young generation. */
  async allocate(): Promise<void> {
    const before = process.memoryUsage().heapUsed;
    const from = this.#at;
    await this.#run(CHUNK);
    const allocated = process.memoryUsage().heapUsed - before;
    if (allocated >= 0) this.bytes.push(allocated / (this.#at - from));
  }

  /** Share of the answers that were the wanted one. */
  get share(): number {
    return this.#found / this.#at;
  }

  async #run(count: number): Promise<void> {
    const found = this.#loop(this.#at, count);
    this.#found += typeof found === 'number' ? found : await found;
    this.#at += count;
  }
}

const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * q)] ?? 0;
const median = (values: readonly number[]): number => quantile(values, 0.5);
const rounded = (value: number) => Number(value.toPrecision(4));

async function subjectsOf(of: Case, count: number): Promise<[string, Peer][]> {
  const evaluator = compile(recordsOf(of, count));
  const limit = limitOf(of, count);
  const fallback = of === 'split' ? `''` : 'false';
  const subjects: [string, Peer][] = [
    [
      'tidegate',
      {
        peer: evaluator,
        contexts,
        expression: `peer.evaluate(key, ${fallback}, context).value`,
      },
    ],
    ['limit', { peer: limit, contexts, expression: 'peer(key, context)' }],
  ];
  for (const [name, open] of Object.entries(peers)) {
    const peer = await open(of, count);
    if (peer) subjects.push([name, peer]);
  }
  return subjects;
}

async function measure(of: Case, count: number, report: (row: Row) => void): Promise<void> {
  const subjects = await subjectsOf(of, count);
  const keys = keysOf(count);
  const wanted = of === 'split' ? 'a' : true;
  const runners = subjects.map(([name, peer]) => new Runner(name, loopOf(peer, keys, wanted)));
  for (const runner of runners) await runner.warmUp();
  for (let round = 0; round < ROUNDS; round += 1)
    for (const runner of runners) await runner.slice();
  for (let round = 0; round < 15; round += 1) for (const runner of runners) await runner.allocate();
  const name = `${of}, ${count} flags`;
  const speeds = new Map<string, number>();
  for (const { subject, nanoseconds, bytes, share } of runners) {
    expectAlike(name, subject, share, runners[0]?.share ?? 0);
    const ns = quantile(nanoseconds, QUARTILE);
    speeds.set(subject, 1e9 / ns);
    report({ case: name, subject, value: Math.round(1e9 / ns), unit: 'ops/s' });
    report({ case: name, subject, value: rounded(ns), unit: 'ns/op' });
    report({ case: name, subject, value: Math.round(median(bytes)), unit: 'bytes/op' });
  }
  const own = speeds.get('tidegate') ?? 0;
  for (const [subject, speed] of speeds)
    if (subject !== 'tidegate')
      report({
        case: name,
        subject: 'tidegate',
        value: rounded(own / speed),
        unit: `of ${subject}`,
      });
  for (const [, { close }] of subjects) await close?.();
}

/** A subject that answers something else does something else. */
function expectAlike(name: string, subject: string, share: number, own: number): void {
  if (Math.abs(share - own) > 0.02)
    throw new Error(`${subject} answers ${name} with ${share}, expected about ${own}.`);
}

/** All flags known and each answered once; then one of them changed and answered. */
function measureCompiling(of: Case, count: number, report: (row: Row) => void): void {
  const keys = keysOf(count);
  const askAll = (evaluator: Evaluator) => {
    for (const key of keys) evaluator.evaluate(key, undefined, contexts[0]);
  };
  const timed = (run: () => void): number => {
    const began = performance.now();
    run();
    return performance.now() - began;
  };
  const eager: number[] = [];
  const indexed: number[] = [];
  const flagd: number[] = [];
  const changed: number[] = [];
  const configuration = flagdConfiguration(of === 'prerequisite' ? 'targeted' : of, count);
  const rounds = count > 1_000 ? 5 : 15;
  for (let round = 0; round < rounds; round += 1) {
    const records = recordsOf(of, count);
    collectGarbage();
    indexed.push(timed(() => compile(records)));
    eager.push(timed(() => askAll(compile(records))));
    if (round % 2 === 0) flagd.push(timed(() => new FlagdCore().setConfigurations(configuration)));
    const evaluator = compile(records);
    askAll(evaluator);
    for (const record of records.slice(0, 30))
      changed.push(
        timed(() => {
          evaluator.update([{ ...record, version: 2 }]);
          evaluator.evaluate(record.key, undefined, contexts[0]);
        }),
      );
  }
  const row = (what: string, subject: string, values: readonly number[]) =>
    report({
      case: `${what}, ${of}, ${count} flags`,
      subject,
      value: rounded(median(values)),
      unit: 'ms',
    });
  row('compile, each flag asked once', 'tidegate', eager);
  row('compile, none asked', 'tidegate', indexed);
  row('compile, from JSON', 'flagd-core', flagd);
  row('one flag changed and asked', 'tidegate', changed);
}

function measureHeap(of: Case, count: number, report: (row: Row) => void): void {
  const records = recordsOf(of, count);
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  const evaluator = compile(records);
  for (const key of keysOf(count)) evaluator.evaluate(key, undefined, contexts[0]);
  collectGarbage();
  const value = rounded((process.memoryUsage().heapUsed - before) / 2 ** 20);
  report({
    case: `heap beside the records, ${of}, ${count} flags`,
    subject: 'tidegate',
    value,
    unit: 'MiB',
  });
  evaluator.update([]);
}

/**
 * Evaluation in the process, beside flagd-core, unleash-client, GrowthBook and LaunchDarkly with the same flags and users,
 * and beside the rules written out by hand. Speeds are lower quartiles over the slices, the rest medians. ROUNDS, SIZES
 * and CASES make it shorter.
 */
const bench: Bench = async (report) => {
  for (const count of SIZES)
    for (const of of CASES) {
      await measure(of, count, report);
      measureCompiling(of, count, report);
      measureHeap(of, count, report);
    }
};
export default bench;
