import { reject, type Rejection } from './decision.ts';

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/gy;

/** Milliseconds of "15m", "1h30m", "250ms", "2d"; refused with DURATION_MALFORMED. */
export function parseDuration(text: string): number | Rejection {
  PART.lastIndex = 0;
  let total = 0;
  let end = 0;
  for (let part = PART.exec(text); part; part = PART.exec(text)) {
    total += Number(part[1]) * UNITS[part[2] as keyof typeof UNITS];
    end = PART.lastIndex;
  }
  if (end === 0 || end !== text.length)
    return reject('DURATION_MALFORMED', `"${text}" is not a duration such as 30s, 15m or 1h30m.`);
  return Math.round(total);
}

/** The shortest exact form with at most two units, e.g. 90 000 → "1m30s"; what is below the second unit is dropped. */
export function formatDuration(ms: number): string {
  if (ms < 0) return `-${formatDuration(-ms)}`;
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  const parts: string[] = [];
  let rest = ms;
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const count = Math.floor(rest / UNITS[unit]);
    if (count > 0) parts.push(`${count}${unit}`);
    if (parts.length > 0 && count === 0) break;
    rest -= count * UNITS[unit];
    if (parts.length === 2) break;
  }
  return parts.join('');
}
