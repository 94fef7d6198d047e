import type { Verdict } from '@tidegate/contracts';
import type { Course } from './course.ts';
import type { Going } from './state.ts';

/** Verdicts that hold a rollout wherever it stands, and page at once: what they say is wrong is not the new code alone. */
const ALARMS: ReadonlySet<string> = new Set(['both-arms-bad', 'sample-ratio-mismatch']);
export const RISK_LEVEL = 'risk-level';
/** The step's deadline came, and too little had been seen. */
export const DEADLINE = 'deadline';

export const isAlarm = (reason: string): boolean => ALARMS.has(reason);

export const alarmIn = (verdicts: readonly Verdict[]): Verdict | undefined =>
  verdicts.find(({ reason, shadow }) => !shadow && isAlarm(reason));

/** Nothing begins and nothing is left meanwhile. Between two checks the last one's word counts. */
export function isAlarmed({ check }: Course, state: Going): boolean {
  if (state.levels?.hold !== undefined) return true;
  if (check) return alarmIn(check.verdicts) !== undefined;
  return state.status === 'holding' && isAlarm(state.hold.reason);
}
