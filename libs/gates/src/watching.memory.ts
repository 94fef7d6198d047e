import { plan as planSchema, type Plan } from '@tidegate/contracts';
import type { Reading } from '@tidegate/metrics-source';
import {
  type RecordedAnswer,
  recordedSource,
  type RecordedSource,
} from '@tidegate/metrics-source/testing';
import { factsOf, livenessFacts } from './facts-of.ts';
import type { Facts } from './facts.ts';
import { readsOf } from './reads.ts';
import { checkStage, openStage, type StageEvidence } from './stage-evidence.ts';

export const START = 1_790_000_000_000;

export const planWith = (fields: object): Plan =>
  planSchema.parse({
    plan: 'checkout',
    flag: 'checkout-v2',
    checkEvery: '5s',
    steps: [
      { stage: 'canary', percentage: 10, hold: '10m' },
      { stage: 'all', percentage: 100, hold: '10m' },
    ],
    ...fields,
  });

/** What a check finds: what each target answers, or how the source is prepared. */
export type Answers = Readonly<Record<string, RecordedAnswer>> | ((source: RecordedSource) => void);

/** A step that is watched, check after check. Each is told twice, and what is known goes through JSON in between. */
export class Watching {
  readonly plan: Plan;
  at = START;
  evidence: StageEvidence;
  readings: readonly Reading[] = [];

  constructor(
    fields: object,
    stage = 'canary',
    options: { overall?: boolean; countedFrom?: number } = {},
  ) {
    this.plan = planWith(fields);
    this.evidence = openStage(this.plan, stage, START, undefined, options);
  }

  /** One check, so many seconds after the start. */
  async check(seconds: number, answers: Answers): Promise<this> {
    const source = recordedSource();
    if (typeof answers === 'function') answers(source);
    else for (const [target, answer] of Object.entries(answers)) source.record(target, 0, answer);
    this.at = START + seconds * 1_000;
    const requests = readsOf(this.plan, 'production', this.evidence);
    return this.tell(await source.read(requests, this.at), this.at);
  }

  tell(readings: readonly Reading[], at: number): this {
    this.readings = readings;
    const once = checkStage(this.plan, this.evidence, readings, at);
    const arrived = JSON.parse(JSON.stringify(once)) as StageEvidence;
    if (JSON.stringify(checkStage(this.plan, arrived, readings, at)) !== JSON.stringify(once))
      throw new Error('To be told twice is not to be told once.');
    this.evidence = arrived;
    return this;
  }

  /** The next step begins now. */
  enter(stage: string, options: { overall?: boolean; countedFrom?: number } = {}): this {
    this.evidence = openStage(this.plan, stage, this.at, this.evidence, options);
    return this;
  }

  facts(guard: string): Facts {
    const evidence = this.evidence.guards[guard];
    if (!evidence) throw new Error(`There is no guard ${guard}.`);
    return factsOf(evidence, this.at);
  }

  /** All that was counted since the step began. */
  counted(guard: string): unknown {
    const [all] = this.facts(guard).since ?? [];
    if (!all) return undefined;
    const { start: _start, ...counts } = all;
    return counts;
  }

  missing(guard: string): string | null {
    return this.facts(guard).missing?.kind ?? null;
  }

  get liveness(): Facts['liveness'] {
    return livenessFacts(this.plan, this.evidence, this.at)?.liveness;
  }
}
