import type { MigrationFlow } from '@tidegate/contracts';
import { DateTime } from 'luxon';

/** Hours of the day in a time zone, also over midnight: then the hours after it belong to the day on which it began. */
export type Window = NonNullable<MigrationFlow['window']>;

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const MINUTE_MS = 60_000;
/** A day of the week that has just passed comes again after this many. */
const DAYS_AHEAD = 8;

/** By the clock on the wall: an hour that comes twice counts twice, one that is left out not at all. */
export function isOpen(window: Window, at: number): boolean {
  const now = DateTime.fromMillis(at, { zone: window.timeZone });
  const minute = now.hour * 60 + now.minute;
  const [from, to] = [minutesOf(window.from), minutesOf(window.to)];
  if (from < to) return minute >= from && minute < to && isOn(window, now);
  if (minute >= from) return isOn(window, now);
  return minute < to && isOn(window, now.minus({ days: 1 }));
}

/** When a window that is closed at `at` opens next, ms since 1970. */
export function opensAt(window: Window, at: number): number {
  const today = DateTime.fromMillis(at, { zone: window.timeZone }).startOf('day');
  const openings = Array.from({ length: DAYS_AHEAD + 1 }, (_, days) => today.plus({ days }))
    .flatMap((day) => timesOf(day, minutesOf(window.from)))
    .sort((a, b) => a - b);
  return openings.find((each) => each > at && isOpen(window, each)) ?? at + MINUTE_MS;
}

/** When it is so late on that day: once, in the hour that comes twice both times, in one that is left out when the clock jumps. */
function timesOf(day: DateTime, minute: number): number[] {
  const time = day.set({ hour: Math.floor(minute / 60), minute: minute % 60 });
  if (time.hour * 60 + time.minute === minute)
    return time.getPossibleOffsets().map((each: DateTime) => each.toMillis());
  let jump = time;
  while (jump.minus(MINUTE_MS).offset === time.offset) jump = jump.minus(MINUTE_MS);
  return [jump.toMillis()];
}

const minutesOf = (time: string): number => {
  const [hours, minutes] = time.split(':');
  return Number(hours) * 60 + Number(minutes);
};

const isOn = ({ days }: Window, day: DateTime): boolean =>
  days === undefined || days.includes(DAYS[day.weekday - 1] as (typeof DAYS)[number]);

/** `2026-11-28 22:00 Europe/Berlin` */
export const onTheWall = ({ timeZone }: Window, at: number): string =>
  `${DateTime.fromMillis(at, { zone: timeZone }).toFormat('yyyy-MM-dd HH:mm')} ${timeZone}`;
