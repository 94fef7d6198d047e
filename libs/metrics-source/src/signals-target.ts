const SIGNALS = 'signals:';

/** Names the signals of an environment as a target; its metrics are the signals' names. */
export const signalsTarget = (environment: string): string => `${SIGNALS}${environment}`;

/** The environment whose signals such a target names; undefined for any other target. */
export const signalsEnvironment = (target: string): string | undefined =>
  target.startsWith(SIGNALS) ? target.slice(SIGNALS.length) : undefined;
