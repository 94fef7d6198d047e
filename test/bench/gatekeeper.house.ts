import { definitionOf, flagDefinition, type OutgoingMessage } from '@tidegate/contracts';
import { type Clock, formatDuration, isRejection } from '@tidegate/kernel';
import {
  Alarm,
  CheckLoop,
  createGatekeeper,
  type Gatekeeper,
  type GatekeeperDeps,
  type ObservedMessage,
  rolloutIdFor,
} from '@tidegate/metrics-gatekeeper';
import { type MetricsSource, type Sample, seriesKey } from '@tidegate/metrics-source';
import { randomIds } from '@tidegate/platform';
import { createExecute, createOutbox, noFaults, type Store } from '@tidegate/store';

export interface Size {
  readonly rollouts: number;
  readonly guards: number;
  /** Of each guard. */
  readonly series: number;
}

export const EVERY_MS = 5_000;
export const ENVIRONMENT = 'production';
const TARGET = 'http://application:9090/metrics';
const PLAN = 'open-checkout';
const metricOf = (guard: number): string => `requests_${guard}_total`;
const planText = (name: string, { guards }: Size, target: string): string => `
plan: ${name}
flag: checkout-v2
checkEvery: ${formatDuration(EVERY_MS)}
metrics:
${numbers(guards)
  .map(
    (guard) =>
      `  m${guard}: { type: ratio, source: { scrape: ['${target}'] }, bad: { metric: ${metricOf(guard)}, where: { status: error } }, total: { metric: ${metricOf(guard)} } }`,
  )
  .join('\n')}
guards:
${numbers(guards)
  .map((guard) => `  - { name: g${guard}, judge: sequential, metric: m${guard}, limit: 1% }`)
  .join('\n')}
steps:
  - { stage: canary, percentage: 10, hold: 48h }
`;
const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Requests per second of each series; 0.2 % of them fail, and 40 times as many once all is bad. */
const RATE = 10;
const FAILING = 0.002;
const WORSE = 40;

/**
 * Counters that are the same for whoever reads them at an instant, in every process. Half of the series of a metric
 * count errors. The target whose name ends with `?endangered` turns bad at `badFrom`.
 */
export function recording({ guards, series }: Size, badFrom = Infinity): MetricsSource {
  const bands = numbers(guards).flatMap((guard) =>
    numbers(series).map((place) => {
      const status = place % 2 === 0 ? 'ok' : 'error';
      const labels = { instance: `application-${place >> 1}`, status };
      const name = metricOf(guard);
      return { name, labels, series: seriesKey(name, labels) };
    }),
  );
  return {
    async read(requests, at) {
      return [...new Set(requests.map(({ target }) => target))].map((target) => {
        const from = target.endsWith('?endangered') ? badFrom : Infinity;
        const ok = Math.floor((at / 1_000) * RATE) % 2 ** 40;
        const failing = RATE * FAILING;
        const worse = Math.max(0, at - from) * (WORSE - 1);
        const error = Math.floor((((at + worse) / 1_000) * failing) % 2 ** 40);
        const samples: Sample[] = bands.map((band) => ({
          ...band,
          value: band.labels.status === 'ok' ? ok : error,
          at,
        }));
        const declared = [...new Set(requests.flatMap(({ metrics }) => metrics))];
        return { outcome: 'taken' as const, target, at, samples, declared };
      });
    },
  };
}

/** One instance of the real gatekeeper over this store, whose flag-service always obeys. */
export function instance(
  store: Store,
  clock: Clock,
  source: MetricsSource,
  told: Pick<GatekeeperDeps, 'onDue' | 'onChecked' | 'onFailed'> & {
    readonly onPublished?: (messages: readonly OutgoingMessage[]) => void;
  } = {},
): Gatekeeper {
  const publish = async (messages: readonly OutgoingMessage[]): Promise<void> => {
    told.onPublished?.(messages);
    for (const message of messages)
      if (ANSWERED.has(message.type)) setImmediate(() => void obey(gatekeeper, message, clock));
  };
  const outbox = createOutbox({ publish, faults: noFaults });
  const name = 'metrics-gatekeeper';
  const execute = createExecute({ outbox, ids: randomIds, clock, source: name, faults: noFaults });
  const gatekeeper = createGatekeeper({
    execute,
    store,
    clock,
    ids: randomIds,
    name,
    source,
    ...told,
  });
  return gatekeeper;
}

const ANSWERED = new Set(['HoldFlag', 'SetExposure', 'RestoreFlag']);
const definition = flagDefinition.parse({
  type: 'boolean',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  offVariant: 'off',
  exposure: { variant: 'on', percentage: 0 },
});

async function obey(
  { rollouts }: Gatekeeper,
  { type, data, metadata: { id, source } }: OutgoingMessage,
  clock: Clock,
): Promise<void> {
  const about = data as { environment: string; key: string; rollout: object };
  const { environment, key, rollout } = about;
  const say = (said: string, more: object): Promise<void> =>
    rollouts.observe({
      type: said,
      key: definitionOf(said)?.key({ ...about, ...more }) ?? '',
      data: { environment, key, rollout, ...more },
      metadata: {
        id: randomIds.next(),
        source: 'flag-service',
        at: clock.now(),
        actor: 'flag-service',
        correlationId: id,
      },
    } as ObservedMessage);
  if (type === 'HoldFlag') await say('FlagHeld', { definition, disabled: false });
  await say('FlagCommandAnswered', {
    command: { id, source, type },
    outcome: 'changed',
    version: 1,
  });
}

/**
 * Starts all rollouts and has their stage opened. Resolves with their ids.
 * @param isEndangered whose metrics turn bad at the recording's `badFrom`
 */
export async function begin(
  gatekeeper: Gatekeeper,
  clock: Clock,
  size: Size,
  isEndangered: (rollout: number) => boolean = () => false,
): Promise<string[]> {
  const endangered = `${PLAN}-endangered`;
  for (const [name, target] of [
    [PLAN, TARGET],
    [endangered, `${TARGET}?endangered`],
  ] as const) {
    const by = { source: 'bench', actor: 'bench' };
    const put = await gatekeeper.plans.put(name, planText(name, size, target), by);
    if (isRejection(put)) throw new Error(put.message);
  }
  const ids = numbers(size.rollouts).map((number) =>
    rolloutIdFor({
      metadata: { id: String(number), source: 'bench', at: 0, actor: '', correlationId: '' },
    }),
  );
  for (const [number, rollout] of ids.entries()) {
    const plan = isEndangered(number) ? endangered : PLAN;
    await gatekeeper.rollouts.start({
      type: 'StartRollout',
      key: rollout,
      data: { rollout, plan, environment: ENVIRONMENT },
      metadata: {
        id: `start-${number}`,
        source: 'bench',
        at: clock.now(),
        actor: 'bench',
        correlationId: rollout,
      },
    });
  }
  await settle(gatekeeper, ids);
  return ids;
}

/** Checks until every rollout's stage is open. */
async function settle({ rollouts, checks }: Gatekeeper, ids: readonly string[]): Promise<void> {
  const deadline = performance.now() + 120_000;
  for (let waiting = [...ids]; waiting.length > 0;) {
    if (performance.now() > deadline)
      throw new Error(`${waiting.length} rollouts do not open their stage.`);
    for (let begun = 1; begun > 0;) {
      const due = await checks.runDue();
      await Promise.all(due);
      begun = due.length;
    }
    await new Promise(setImmediate);
    const states = await Promise.all(waiting.map((id) => rollouts.documents.load(id)));
    waiting = waiting.filter((_, place) => {
      const state = states[place]?.state;
      return !(state && 'position' in state && state.position?.phase === 'open');
    });
  }
}

/** The service's control loop: rounds one after another, each second and whenever something is due. */
export function looping(gatekeeper: Gatekeeper, clock: Clock) {
  const loop = new CheckLoop(gatekeeper.checks);
  const stopping = new AbortController();
  let wake: () => void = () => undefined;
  const alarm = new Alarm(clock, () => wake());
  const ended = (async () => {
    while (!stopping.signal.aborted) {
      let timer: NodeJS.Timeout | undefined;
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
        timer = setTimeout(resolve, 1_000);
      });
      await loop.round();
      await woken;
      clearTimeout(timer);
    }
    await loop.settled();
  })();
  return {
    due: (at: number) => alarm.set(at),
    async stop(): Promise<void> {
      stopping.abort();
      wake();
      alarm.stop();
      await ended;
    },
  };
}

/** How late checks are, by the rule by which they become due. */
export class Delays {
  readonly done: number[] = [];
  readonly #due: Map<string, number>;

  constructor(due: ReadonlyMap<string, number>) {
    this.#due = new Map(due);
  }

  /** @param at when it was read, @param doneAt when all was decided and stored */
  checked(rollout: string, at: number, doneAt: number): void {
    const due = this.#due.get(rollout) ?? at;
    this.done.push(doneAt - due);
    const regular = due + EVERY_MS;
    this.#due.set(rollout, regular > at ? regular : at + EVERY_MS);
  }

  /** Those of these rollouts that were due and are not done. */
  waiting(rollouts: readonly string[], now: number): number[] {
    return rollouts.map((each) => now - (this.#due.get(each) ?? now)).filter((late) => late > 0);
  }
}

export const quantile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
};
