/** What Idempotency-Keys were first used for, remembered for all replicas of a service. */
export interface SharedKeys {
  /**
   * Remembers what a key is used for, if it was not used before. Resolves with the fingerprint that it stands for: of
   * two claims at the same time one wins. Rejects, soon, when it cannot be reached.
   */
  claim(name: string, fingerprint: string): Promise<string>;
  /** As if it had never been used. */
  forget(name: string): Promise<void>;
  /** False from when something failed until something works again. */
  isUp(): boolean;
}

export const KEPT_MS = 86_400_000;
