import { type Message, PlanVersionCreated, readPlan } from '@tidegate/contracts';
import { isAppError } from '@tidegate/kernel';
import type { Documents } from '@tidegate/store';
import type { Rollout } from '../rollout/state.ts';
import { doneIn } from './done-in.ts';
import {
  emptyRecord,
  type GuardRecord,
  type GuardSummary,
  summariesOf,
  withDone,
  withPlan,
} from './guard-record.ts';

export interface GuardRecords {
  /** Safe to repeat, in any order. What no guard has done is passed over. */
  record(event: Message): Promise<void>;
  /** By plan, in order of its name, those after `after`; `limit` counts plans. */
  list(page: { after?: string | undefined; limit: number }): Promise<readonly PlanRecord[]>;
  /** None if nothing is known of the plan. */
  of(plan: string): Promise<readonly GuardSummary[]>;
}

export interface PlanRecord {
  readonly plan: string;
  readonly guards: readonly GuardSummary[];
}

export function createGuardRecords(deps: {
  documents: Documents<GuardRecord>;
  rollouts: Documents<Rollout>;
}): GuardRecords {
  const { documents, rollouts } = deps;
  const change = (plan: string, how: (record: GuardRecord) => GuardRecord) =>
    untilSaved(documents, plan, how);
  return {
    async record(event) {
      const put = putIn(event);
      if (put) return change(put.plan, (record) => withPlan(record, put.read, put.version));
      const { rollout: id } = event.data as { readonly rollout?: unknown };
      const state = typeof id === 'string' ? (await rollouts.load(id))?.state : undefined;
      // One of another store, or from before a restore.
      if (!state || state.status === 'absent') return;
      const done = doneIn(event, state);
      if (done.length === 0) return;
      const { plan } = state.plan;
      await change(plan, (record) =>
        done.reduce((before, each) => withDone(before, plan, each), record),
      );
    },
    async list({ after, limit }) {
      const found = await documents.list({ after, limit });
      return found.map(({ id, state }) => ({ plan: id, guards: summariesOf(state) }));
    },
    async of(plan) {
      const known = await documents.load(plan);
      return known ? summariesOf(known.state) : [];
    },
  };
}

function putIn(event: Message) {
  if (event.type !== PlanVersionCreated.type) return undefined;
  const { plan, version, text } = PlanVersionCreated.schema.parse(event.data);
  const read = readPlan(text);
  // A plan of an older release, which no rollout can be started with.
  return 'plan' in read ? { plan, version, read: read.plan } : undefined;
}

const ATTEMPTS = 20;

/** Changes the document as it is when it is saved; not at all if nothing is new. */
async function untilSaved(
  documents: Documents<GuardRecord>,
  id: string,
  how: (record: GuardRecord) => GuardRecord,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const before = await documents.load(id);
    const state = how(before?.state ?? emptyRecord);
    if (state === (before?.state ?? emptyRecord)) return;
    const change = { state, version: (before?.version ?? 0) + 1, outbox: [] };
    try {
      await documents.save(id, change, before?.token ?? 0);
      return;
    } catch (error) {
      if (!isAppError(error, 'STORE_VERSION_CONFLICT') || attempt === ATTEMPTS) throw error;
    }
  }
}
