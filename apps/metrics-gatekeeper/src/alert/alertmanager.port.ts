import type { Posted } from './alert.ts';

/** Whom breaches are told. */
export interface Alertmanager {
  /** Why it did not take all of them; undefined if it did. Safe to repeat. Never rejects. */
  post(alerts: readonly Posted[]): Promise<string | undefined>;
}
