/** What a snapshot is asked for. */
export interface SnapshotWanted {
  readonly run: string;
  readonly migration: string;
  /** Name of the database. */
  readonly target: string;
}

export interface SnapshotAnswer {
  readonly status: 'running' | 'done' | 'failed';
  /** As whoever makes it calls it, for whoever must restore it. */
  readonly snapshot?: string | undefined;
  readonly message?: string | undefined;
}

/**
 * Asks for a snapshot, or how far it is: the same words for the same run, so that whoever makes it begins only once.
 * Thrown MIGRATION_BACKUP_FAILED: retryable when no usable answer came, not when it was refused.
 */
export type AskSnapshot = (wanted: SnapshotWanted) => Promise<SnapshotAnswer>;
