import type { Flag, FlagEvent, ScheduledChange, ScheduleFlag } from '@tidegate/contracts';
import {
  canonicalJson,
  type Command,
  type Decision,
  type Fact,
  isRejection,
  reject,
  type Rejection,
} from '@tidegate/kernel';
import { versionConflict } from './flag-refusals.ts';
import type { LivingFlag } from './stored-flag.ts';

/** What this service asks of itself when the time of an entry has come. */
export interface RunSchedule extends Command {
  readonly type: 'RunSchedule';
  readonly data: {
    readonly environment: string;
    readonly key: string;
    /** What was due when the flag was looked at; if it is not any more, nothing is done. */
    readonly entry: ScheduledChange;
  };
}

type Schedule = readonly ScheduledChange[];

/** The one that counts now: of several whose time came while nobody looked, the last. */
export const dueEntry = (schedule: Schedule, now: number): ScheduledChange | undefined =>
  schedule.findLast(({ at }) => at <= now);

export const enables = ({ change }: ScheduledChange): boolean => change === 'enable';

/** Replaces what was scheduled. What stays as it was keeps who asked for it. */
export function schedule({ data, metadata }: ScheduleFlag, flag: LivingFlag): Decision<FlagEvent> {
  const { environment, key } = data;
  const now = flag.schedule ?? [];
  const conflict = versionConflict(data, flag) ?? notInFuture(data.schedule, metadata.at);
  if (conflict) return conflict;
  const next = data.schedule
    .toSorted((a, b) => a.at - b.at)
    .map((entry) => now.find((each) => isSame(each, entry)) ?? { ...entry, by: metadata.actor });
  if (canonicalJson(next) === canonicalJson(now)) return [];
  return [{ type: 'FlagScheduled', data: { environment, key, schedule: next } }];
}

const isSame = (a: ScheduledChange, b: ScheduleFlag['data']['schedule'][number]): boolean =>
  a.at === b.at && a.change === b.change && a.reason === b.reason;

function notInFuture(
  entries: ScheduleFlag['data']['schedule'],
  now: number,
): Rejection | undefined {
  const times = entries.map(({ at }) => at);
  for (const [index, at] of times.entries()) {
    const time = new Date(at).toISOString();
    if (at <= now)
      return reject(
        'SCHEDULE_IN_PAST',
        `schedule.${index}.at: ${time} has passed; expected a time in the future. To change the flag now, enable or disable it.`,
      );
    if (times.indexOf(at) !== index)
      return reject(
        'SCHEDULE_AMBIGUOUS',
        `schedule.${index}.at: another entry is of ${time} too; expected each at a moment of its own.`,
      );
  }
  return undefined;
}

/** @param attempt what the entry comes to, as if somebody asked for it now */
export function runSchedule(
  { data, metadata }: RunSchedule,
  flag: LivingFlag,
  attempt: (entry: ScheduledChange) => Decision<FlagEvent>,
): Decision<FlagEvent> {
  const scheduled = dueEntry(flag.schedule ?? [], metadata.at);
  if (!scheduled || canonicalJson(scheduled) !== canonicalJson(data.entry)) return [];
  const decision = attempt(scheduled);
  if (!isRejection(decision) && decision.length > 0)
    return decision.map((event) => ({ ...event, data: { ...event.data, scheduled } }) as FlagEvent);
  const { environment, key } = data;
  const { code, message: reason } = isRejection(decision) ? decision : isSoAlready(key, scheduled);
  return [{ type: 'FlagScheduleSkipped', data: { environment, key, scheduled, code, reason } }];
}

const isSoAlready = (key: string, { change }: ScheduledChange): Rejection =>
  reject('FLAG_UNCHANGED', `${key} was ${change}d already.`);

type OfSchedule = Extract<
  FlagEvent,
  { type: 'FlagDisabled' | 'FlagEnabled' | 'FlagScheduled' | 'FlagScheduleSkipped' }
>;

/** What is still scheduled after such a fact; left out when nothing is. */
export function scheduledAfter(
  { schedule: now = [] }: Flag,
  fact: Fact<OfSchedule>,
): Pick<Flag, 'schedule'> {
  const next = leftOf(now, fact);
  return next.length > 0 ? { schedule: [...next] } : {};
}

function leftOf(now: Schedule, { type, data }: Fact<OfSchedule>): Schedule {
  if (type === 'FlagScheduled') return data.schedule;
  const { scheduled } = data;
  if (scheduled) return now.filter(({ at }) => at > scheduled.at);
  // Nothing that was planned before somebody turned the flag off may turn it on again.
  return type === 'FlagDisabled' ? now.filter((entry) => !enables(entry)) : now;
}
