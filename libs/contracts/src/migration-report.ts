import { z } from 'zod';

/*
 * What a run of a migration has found and done: stored with the run and published when it ends, so everything in it is bounded.
 * Long text is cut, and says by how much; what did not fit into a list is counted in a field `…LeftOut`.
 */

/** Bytes of a report as JSON; lists are cut until it has no more. */
export const MAX_REPORT_BYTES = 600_000;
/** The most entries that each list of a report has. */
export const reportLimits = {
  groups: 1_000,
  mapping: 1_000,
  fields: 100,
  samples: 8,
  failureCodes: 20,
  examples: 5,
  mismatches: 50,
  listed: 200,
  batches: 64,
} as const;

const count = z.int().min(0);
const amount = z.number().min(0);
const key = z.union([z.string(), z.number()]);

/**
 * What whoever decides must know, worst first. stop: the next step would fail or harm · look: a person decides ·
 * note: good to know.
 */
const finding = z.object({
  level: z.enum(['stop', 'look', 'note']),
  code: z.string(),
  message: z.string(),
});
export type ReportFinding = z.output<typeof finding>;
/** go: nothing to decide · look: there is a finding to look at · no-go: there is one that stops. */
const verdict = z.enum(['go', 'look', 'no-go']);
const judged = { verdict, findings: z.array(finding) };

/** Documents that failed in one way. */
const failures = z.array(
  z.object({ code: z.string(), count, examples: z.array(z.object({ key, message: z.string() })) }),
);
export type ReportFailures = z.output<typeof failures>;
/** What was looked at, and for how many it does not hold. */
const invariants = z.array(
  z.object({ name: z.string(), checked: count, broken: count, examples: z.array(key) }),
);
/** Sums over all documents that the migration is about. Digits, as numbers may be too large; text: a checksum of all texts. */
const preserved = z.array(
  z.object({
    name: z.string(),
    documents: count,
    sum: z.string(),
    /** By the migration's `by`. */
    groups: z.array(z.object({ group: z.string(), documents: count, sum: z.string() })),
    groupsLeftOut: count,
  }),
);
export type ReportPreserved = z.output<typeof preserved>;
/** A value as JSON can say it, cut where it is long. */
const value = z.json();
const change = z.object({ path: z.string(), before: value.optional(), after: value.optional() });
const sample = z.object({
  key,
  group: z.string().optional(),
  changes: z.array(change),
  changesLeftOut: count,
  before: value,
  after: value,
});
/** What the server tells of itself; what it does not tell is not there. */
const readiness = z.object({
  replicationLagMs: amount.optional(),
  load: amount.optional(),
  freeBytes: amount.optional(),
  waiting: amount.optional(),
  detail: z.array(z.string()),
});
const largest = z.object({ key, bytes: count });
const size = z.object({
  documents: count,
  bytesBefore: count,
  bytesAfter: count,
  largestBefore: largest.optional(),
  largestAfter: largest.optional(),
  /** The largest document that the server takes, where it says so, and how many would be larger. */
  limitBytes: count.optional(),
  overLimit: count,
});
const time = z.object({
  documents: count,
  readMs: amount,
  transformMs: amount,
  /** Of the whole run, under what `assumes` says; undefined: too few documents to tell. */
  likelyMs: amount.optional(),
  assumes: z.string(),
});
/** What programs wrote while the plan read: new documents (a hundred at most are looked at), and those in the old form. */
const writers = z.object({ arrived: count, arrivedPending: count, pendingLater: count });

const documentsPlan = z.object({
  about: z.literal('documents'),
  action: z.literal('plan'),
  ...judged,
  server: z.string(),
  matched: count,
  pending: count,
  wouldChange: count,
  failed: count,
  failures,
  groups: z.array(
    z.object({ group: z.string(), pending: count, wouldChange: count, failed: count }),
  ),
  groupsLeftOut: count,
  /** How many documents change at each path. */
  fields: z.record(z.string(), count),
  fieldsLeftOut: count,
  mapping: z.array(z.object({ from: z.string(), to: z.string(), count })),
  mappingLeftOut: count,
  samples: z.array(sample),
  /** Of documents as they are now. */
  invariants,
  preserved,
  writers,
  /** The index that batches are read by; `none` reads everything in each sweep. */
  index: z.string(),
  reading: z.string(),
  readiness,
  size,
  time,
  /** How to undo the migration, step by step; empty: it cannot be undone. */
  rollback: z.array(z.string()),
});
export type PlanReport = z.output<typeof documentsPlan>;

/** Documents against what was written down when they were changed. */
const checksums = z.object({
  compared: count,
  /** As the migration wrote them. */
  written: count,
  /** Somebody edited them since, which is nobody's fault. */
  edited: count,
  /** Back to what they were before. */
  before: count,
  gone: count,
});
export type ReportChecksums = z.output<typeof checksums>;
const documentsVerify = z.object({
  about: z.literal('documents'),
  action: z.literal('verify'),
  ...judged,
  matched: count,
  pending: count,
  /** Pending, but listed as failed by the run before: they were left as they are on purpose. */
  leftOnPurpose: count,
  /** Documents looked at one by one; all of them: the same as matched. */
  checked: count,
  broken: count,
  invariants,
  preserved,
  checksums: checksums.optional(),
  mismatches: z.array(z.object({ key, problem: z.string() })),
  mismatchesLeftOut: count,
});
export type VerifyReport = z.output<typeof documentsVerify>;

/** Neighbouring batches together: all of them in a bounded list. */
const batchLine = z.object({
  /** Number of the first of them, and how many they are. */
  batch: z.int().min(1),
  batches: z.int().min(1),
  first: key,
  last: key,
  changed: count,
  skipped: count,
  mismatched: count,
  failed: count,
  tookMs: amount,
  /** When the last of them was recorded. */
  at: z.number(),
});
export type BatchLine = z.output<typeof batchLine>;
const worked = {
  batches: count,
  /** What was done at which keys, in order. */
  lines: z.array(batchLine),
  tookMs: amount,
  /** In batches; the rest was waiting. */
  workedMs: amount,
  documentsPerSecond: amount.optional(),
};
const documentsExecute = z.object({
  about: z.literal('documents'),
  action: z.literal('execute'),
  ...judged,
  /** When it ended; left out where they could not be counted any more. */
  matched: count.optional(),
  pending: count.optional(),
  changed: count,
  skipped: count,
  mismatched: count,
  failed: count,
  sweeps: count,
  ...worked,
  failures,
  rollback: z.array(z.string()),
});
export type ExecuteReport = z.output<typeof documentsExecute>;

const documentsRevert = z.object({
  about: z.literal('documents'),
  action: z.literal('revert'),
  ...judged,
  /** By their before-image, or by `down` where they were edited since. */
  restored: count,
  /** Already as before. */
  unchanged: count,
  gone: count,
  ...worked,
  /** Left as they are: a person must look. */
  listed: z.array(z.object({ key, reason: z.string() })),
  listedLeftOut: count,
});
export type RevertReport = z.output<typeof documentsRevert>;

const documentsBackup = z.object({
  about: z.literal('documents'),
  action: z.literal('backup'),
  ...judged,
  /** before-images in Tidegate's store, or a snapshot that the operator's webhook made. */
  kind: z.enum(['before-images', 'snapshot']),
  documents: count.optional(),
  /** Compressed. */
  bytes: count.optional(),
  limitBytes: count.optional(),
  /** As the webhook calls it. */
  snapshot: z.string().optional(),
  tookMs: amount,
});
export type BackupReport = z.output<typeof documentsBackup>;
const documentsCleanup = z.object({
  about: z.literal('documents'),
  action: z.literal('cleanup'),
  ...judged,
  /** Of before-images that were forgotten, compressed. */
  bytes: count,
});
export type CleanupReport = z.output<typeof documentsCleanup>;

const schema = z.object({
  about: z.literal('schema'),
  action: z.enum(['plan', 'execute', 'verify', 'revert']),
  ...judged,
  server: z.string(),
  /** Indexes, columns and rules that the migration asks for. */
  wanted: z.array(z.string()),
  /** What of it is not there, or is there but different; after the action. */
  missing: z.array(z.string()),
});
export type SchemaReport = z.output<typeof schema>;

const proven = z.object({
  migration: z.string(),
  /** The run that verified it under its present text, or `not yet`; left out of what need not be verified. */
  verified: z.string().optional(),
  /** Pending now, and again after the settling time. */
  pending: count,
  pendingLater: count.optional(),
  /** Pending, but listed as failed: they were left as they are on purpose. */
  leftOnPurpose: count,
  leftOnPurposeLater: count.optional(),
});
const cutover = z.object({
  about: z.literal('cutover'),
  action: z.enum(['plan', 'verify', 'execute', 'cutover', 'revert']),
  ...judged,
  of: z.array(proven),
  settledMs: amount,
  /** What is switched next, and by which command; it is not switched by the run. */
  flag: z.string().optional(),
  variant: z.string().optional(),
});
export type CutoverReport = z.output<typeof cutover>;

/** A report says by `about` and `action` which one it is. */
export const migrationReport = z.union([
  documentsPlan,
  documentsVerify,
  documentsExecute,
  documentsRevert,
  documentsBackup,
  documentsCleanup,
  schema,
  cutover,
]);
export type MigrationReport = z.output<typeof migrationReport>;
