import type { HealthCheck } from '../service.ts';

export interface CheckResult {
  readonly name: string;
  readonly status: 'up' | 'down';
  /** True if the service is not ready without it. */
  readonly required: boolean;
  readonly message?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface Readiness {
  readonly status: 'ready' | 'unready' | 'starting' | 'stopping';
  readonly checks: readonly CheckResult[];
}

export interface RegisteredCheck {
  readonly name: string;
  readonly check: HealthCheck;
  readonly required: boolean;
}

export type Phase = 'starting' | 'running' | 'stopping';

export const readinessOf = (phase: Phase, checks: readonly CheckResult[]): Readiness => ({
  status: phase === 'running' ? (checks.every(passes) ? 'ready' : 'unready') : phase,
  checks,
});

const passes = ({ status, required }: CheckResult): boolean => status === 'up' || !required;
