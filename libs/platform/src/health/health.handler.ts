import { messageOf } from '@tidegate/kernel';
import {
  type CheckResult,
  type Phase,
  type Readiness,
  readinessOf,
  type RegisteredCheck,
} from './health.ts';

const LONGEST_MS = 2_000;

/** The checks of one service, and where it is in its life. */
export class Health {
  readonly #checks: RegisteredCheck[] = [];
  phase: Phase = 'starting';

  register(check: RegisteredCheck): void {
    this.#checks.push(check);
  }

  /** Asks all of them at once; one that does not answer in time is down. */
  async readiness(): Promise<Readiness> {
    return readinessOf(this.phase, await Promise.all(this.#checks.map(ask)));
  }
}

async function ask({ name, check, required }: RegisteredCheck): Promise<CheckResult> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer in ${LONGEST_MS} ms`)), LONGEST_MS);
  try {
    const details = await Promise.race([(async () => check())(), late]);
    return { name, status: 'up', required, ...(details ? { details } : {}) };
  } catch (error) {
    return { name, status: 'down', required, message: messageOf(error) };
  } finally {
    clearTimeout(timer);
  }
}
