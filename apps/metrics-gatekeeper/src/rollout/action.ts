const REVERT = 'revert-migration/';
export type RevertName = `${typeof REVERT}${string}`;
export type ActionName = 'restore-flag' | 'pause-migration' | RevertName;
export const revertName = (migration: string): RevertName => `${REVERT}${migration}`;
/** The migration that an action reverts, if it does. */
export const revertedBy = (action: ActionName): string | undefined =>
  action.startsWith(REVERT) ? action.slice(REVERT.length) : undefined;

export interface Action {
  readonly action: ActionName;
  /** waiting: for what must be done before; under-way: accepted, and not ended. */
  readonly state: 'waiting' | 'sent' | 'under-way' | 'done' | 'failed' | 'skipped';
  readonly ids: readonly string[];
  readonly sentAt?: number | undefined;
  /** Of a revert: its run, and since when somebody has it paused. */
  readonly run?: string | undefined;
  readonly stopped?: { readonly at: number; readonly reason: string } | undefined;
  readonly message?: string | undefined;
}
