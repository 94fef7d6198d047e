import type { DraftOf, PlanVersionCreated } from '@tidegate/contracts';
import type { Command, Decider, Fact } from '@tidegate/kernel';
import type { Collection } from '@tidegate/store';

/** One version of a plan; it never changes. `text` is kept of the newest ones, and in the audit log of all. */
export interface PlanVersion {
  readonly version: number;
  /** `sha256:` and the digest of the text in UTF-8, in hex. */
  readonly hash: string;
  readonly at: number;
  readonly by: string;
  readonly text?: string | undefined;
}

/** All versions in one document, oldest first: two writers cannot make the same one. */
export type StoredPlan =
  | { readonly status: 'absent' }
  | { readonly status: 'stored'; readonly plan: string; readonly versions: readonly PlanVersion[] };

export interface PutPlan extends Command {
  readonly type: 'PutPlan';
  readonly data: { readonly plan: string; readonly text: string; readonly hash: string };
}

type PlanMessage = DraftOf<typeof PlanVersionCreated>;

export const TEXTS_KEPT = 50;

export const newestOf = (plan: StoredPlan): PlanVersion | undefined =>
  plan.status === 'absent' ? undefined : plan.versions.at(-1);

/** The same text as the newest version's makes no new one. */
export const planDecider: Decider<StoredPlan, PutPlan, PlanMessage> = {
  initial: { status: 'absent' },
  decide: ({ data, metadata }, stored) => {
    const newest = newestOf(stored);
    if (newest?.hash === data.hash) return [];
    const version = (newest?.version ?? 0) + 1;
    return [{ type: 'PlanVersionCreated', data: { ...data, version, by: metadata.actor } }];
  },
  evolve: (stored, { data, metadata }: Fact<PlanMessage>) => {
    const { plan, version, hash, text, by } = data;
    const before = stored.status === 'absent' ? [] : stored.versions;
    const versions = [...before, { version, hash, at: metadata.at, by, text }];
    return { status: 'stored', plan, versions: versions.map(forgetting(version)) };
  },
};

const forgetting =
  (newest: number) =>
  (each: PlanVersion): PlanVersion =>
    each.version > newest - TEXTS_KEPT ? each : { ...each, text: undefined };

export const planCollection: Collection<StoredPlan> = {
  name: 'plans',
  schemaVersion: 1,
  index: ({ status }) => ({ stored: status === 'stored' }),
};
