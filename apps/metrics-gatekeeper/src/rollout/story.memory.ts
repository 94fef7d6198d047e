import { type FlagDefinition, flagDefinition, type Plan, readPlan } from '@tidegate/contracts';
import { type Decision, isRejection, reject } from '@tidegate/kernel';
import { type Reading, seriesKey } from '@tidegate/metrics-source';
import type { StageEvidence } from '@tidegate/gates';
import type { AnyRolloutCommand } from './command.ts';
import { look } from './look.ts';
import type { RolloutMessage } from './message.ts';
import type { ObservedMessage } from './observed.ts';
import { rolloutDecider } from './rollout.ts';
import type { Rollout } from './state.ts';

const TARGET = 'http://127.0.0.1:9/metrics';
const HEAD = `
plan: open-checkout
flag: checkout-v2
checkEvery: 1s
pageAfter: 10s
metrics:
  errors:
    type: ratio
    source: { scrape: ['${TARGET}'] }
    bad: { metric: requests_total, where: { status: error } }
    total: { metric: requests_total }
  compared:
    type: ratio
    source: { scrape: ['${TARGET}'] }
    bad: { metric: requests_total, where: { status: error } }
    total: { metric: requests_total }
    canary: { where: { variant: on } }
    baseline: { where: { variant: off } }
  violations:
    type: count
    source: { scrape: ['${TARGET}'] }
    count: { metric: violations_total }
`;
export const GUARDS = `
guards:
  - { name: error-rate, judge: sequential, metric: errors, limit: 1%, detect: 6% }
  - { name: invariant, judge: immediate, metric: violations }
`;

/** A plan with two guards, looked at every second, that pages after ten. */
export function planOf(steps: readonly string[], guards = GUARDS): Plan {
  const read = readPlan(`${HEAD}${guards}steps:\n${steps.map((step) => `  - ${step}\n`).join('')}`);
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return read.plan;
}

export const CANARY = '{ stage: canary, percentage: 10, hold: 3s }';
export const ALL = '{ stage: all, percentage: 100, hold: 3s }';

export const before: FlagDefinition = flagDefinition.parse({
  type: 'boolean',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  offVariant: 'off',
  exposure: { variant: 'on', percentage: 1_000 },
});

/** What a check finds: how much was served since the last one, or that nobody answers. */
export interface Found {
  readonly requests?: number;
  readonly errors?: number;
  readonly violations?: number;
  /** The same of those who have the old version; without it they are not counted. */
  readonly baseline?: { readonly requests: number; readonly errors: number };
  readonly answer?: 'down' | 'empty' | 'nan';
}

/** A rollout told as what happens to it, one thing after another; `last` is what the last thing led to. */
export class Story {
  now = 1_000_000;
  state: Rollout = rolloutDecider.initial;
  last: Decision<RolloutMessage> = [];
  readonly messages: RolloutMessage[] = [];
  evidence: StageEvidence | undefined;
  readonly #plan: Plan;
  readonly #sent: { type: string; id: string; key: string }[] = [];
  readonly #counters = { requests: 0, errors: 0, violations: 0 };
  readonly #baseline = { requests: 0, errors: 0 };
  #ids = 0;

  constructor(steps: readonly string[] = [CANARY, ALL], guards = GUARDS) {
    this.#plan = planOf(steps, guards);
  }

  /** Decides, and takes over what follows. */
  tell(command: Pick<AnyRolloutCommand, 'type' | 'data'>, by = 'alex'): this {
    const id = this.#id();
    const metadata = { id, source: 'spec', at: this.now, actor: by, correlationId: id };
    this.last = rolloutDecider.decide({ ...command, metadata } as AnyRolloutCommand, this.state);
    if (isRejection(this.last)) return this;
    for (const draft of this.last) {
      const fact = { ...draft, metadata: { id: this.#id(), at: this.now } };
      const key = 'key' in draft.data ? draft.data.key : '';
      this.#sent.push({ type: draft.type, id: fact.metadata.id, key });
      this.messages.push(draft);
      this.state = rolloutDecider.evolve(this.state, fact);
    }
    return this;
  }

  start(pinned: 'plan' | 'nothing' = 'plan'): this {
    const data = {
      rollout: 'r-1',
      environment: 'production',
      plan: this.#plan.plan,
      pinned:
        pinned === 'plan'
          ? { plan: this.#plan, version: 3, hash: 'sha256:1' }
          : reject('PLAN_UNKNOWN', 'There is no such plan.'),
    };
    return this.tell({ type: 'StartRollout', data });
  }

  /** Something another service said; the flag and the rollout are filled in. */
  hears(type: ObservedMessage['type'], data: object = {}, by = 'robin'): this {
    const generation = this.state.status === 'absent' ? 1 : this.state.generation;
    const full = {
      environment: 'production',
      key: 'checkout-v2',
      migration: 'order-totals',
      action: 'execute',
      run: 'r-1.0.0',
      total: { matched: 7, changed: 7, skipped: 0, mismatched: 0 },
      report: { about: 'documents' },
      rollout: { id: 'r-1', generation },
      ...data,
    };
    const metadata = {
      id: this.#id(),
      source: 'other',
      at: this.now,
      actor: by,
      correlationId: '',
      revision: { epoch: 1, version: this.#sent.length + 1 },
    };
    const message = { type, key: '', data: full, metadata };
    return this.tell({ type: 'RecordEvent', data: message as unknown as ObservedMessage });
  }

  held(disabled = false, definition = before): this {
    return this.hears('FlagHeld', { definition, disabled });
  }

  /** What the flag refers to answers. */
  heldToo(key: string, definition: object = before, disabled = false): this {
    const type = 'type' in definition ? 'FlagHeld' : 'SegmentHeld';
    const asFlag = type === 'FlagHeld' ? { disabled, asReference: true } : {};
    return this.hears(type, { key, definition, ...asFlag });
  }

  refusedToo(command: 'HoldFlag' | 'HoldSegment', key: string, code: string, nth = -1): this {
    const sent = this.#sent.filter((each) => each.type === command && each.key === key).at(nth);
    const type = command === 'HoldFlag' ? 'FlagCommandAnswered' : 'SegmentCommandAnswered';
    const of = { id: sent?.id ?? 'none', source: 'metrics-gatekeeper', type: command };
    return this.hears(type, { key, command: of, outcome: 'refused', code, message: 'because' });
  }

  /** Keys of what the last thing led to be asked for or let go. */
  keys(type: RolloutMessage['type']): readonly string[] {
    if (isRejection(this.last)) return [];
    return this.last.flatMap((each) =>
      each.type === type && 'key' in each.data ? [each.data.key] : [],
    );
  }

  /** The answer to the newest command of the type, or to the one that was sent as the nth. */
  answered(command: string, refusal?: string, nth = -1): this {
    const sent = this.#sent.filter(({ type }) => type === command).at(nth);
    const isMigration = command.endsWith('Migration');
    return this.hears(isMigration ? 'MigrationCommandAnswered' : 'FlagCommandAnswered', {
      command: { id: sent?.id ?? 'none', source: 'metrics-gatekeeper', type: command },
      version: 1,
      ...(refusal === undefined
        ? { outcome: 'changed' }
        : { outcome: 'refused', code: refusal, message: 'because' }),
    });
  }

  /** One check, a second after what came before unless said otherwise. */
  check(found: Found = {}, afterMs = 1_000): this {
    if (this.state.status === 'absent') throw new Error('nothing to check');
    this.now += afterMs;
    this.evidence = look(this.state, this.evidence, [this.#reading(found)], this.now);
    return this.tell({ type: 'Tick', data: { evidence: this.evidence } });
  }

  checks(times: number, found: Found = {}): this {
    for (let count = 0; count < times; count += 1) this.check(found);
    return this;
  }

  /** Up to the first stage being open at 10 %. */
  opened(): this {
    return this.start().held().check().answered('SetExposure');
  }

  person(
    type: 'PauseRollout' | 'ResumeRollout' | 'PromoteRollout' | 'RollBack' | 'AbortRollout',
    by = 'alex',
  ): this {
    const seen = type === 'PromoteRollout' ? { evidence: this.evidence } : {};
    return this.tell({ type, data: { rollout: 'r-1', reason: 'because', ...seen } }, by);
  }

  approve(step: string, by = 'robin'): this {
    return this.tell({ type: 'ApproveRollout', data: { rollout: 'r-1', step } }, by);
  }

  types(): readonly string[] {
    return isRejection(this.last) ? [this.last.code] : this.last.map(({ type }) => type);
  }

  /** Data of the newest message of the type. */
  newest(type: RolloutMessage['type']): unknown {
    return this.messages.findLast((message) => message.type === type)?.data;
  }

  count(type: RolloutMessage['type']): number {
    return this.messages.filter((message) => message.type === type).length;
  }

  #id(): string {
    this.#ids += 1;
    return `id-${this.#ids}`;
  }

  #reading({ requests = 100, errors = 0, violations = 0, baseline, answer }: Found): Reading {
    const at = this.now;
    if (answer === 'down')
      return { outcome: 'failed', target: TARGET, at, failure: 'unreachable', message: 'nobody' };
    this.#counters.requests += requests;
    this.#counters.errors += errors;
    this.#counters.violations += violations;
    const sample = (name: string, labels: Record<string, string>, value: number) => ({
      name,
      labels,
      series: seriesKey(name, labels),
      value: answer === 'nan' ? Number.NaN : value,
      at,
    });
    const { requests: all, errors: bad, violations: wrong } = this.#counters;
    const old = () => {
      this.#baseline.requests += baseline?.requests ?? 0;
      this.#baseline.errors += baseline?.errors ?? 0;
      const { requests: total, errors: failed } = this.#baseline;
      return [
        sample('requests_total', { status: 'ok', variant: 'off' }, total - failed),
        sample('requests_total', { status: 'error', variant: 'off' }, failed),
      ];
    };
    const samples = [
      ...(answer === 'empty'
        ? []
        : [
            sample('requests_total', { status: 'ok', variant: 'on' }, all - bad),
            sample('requests_total', { status: 'error', variant: 'on' }, bad),
            ...(baseline ? old() : []),
          ]),
      sample('violations_total', {}, wrong),
    ];
    return {
      outcome: 'taken',
      target: TARGET,
      at,
      samples,
      declared: ['requests_total', 'violations_total'],
    };
  }
}
