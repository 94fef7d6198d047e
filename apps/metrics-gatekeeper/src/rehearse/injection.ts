import { isWatchedStep, type Plan, watchedName } from '@tidegate/contracts';
import {
  formatDuration,
  isRejection,
  parseDuration,
  reject,
  type Rejection,
} from '@tidegate/kernel';

/** A change of recorded data, as a regression would make it. */
export type Change =
  /** So many times as many bad ones. */
  | { readonly kind: 'errors-times'; readonly times: number }
  /** This share of all requests fails, beside those that do already. */
  | { readonly kind: 'errors-share'; readonly share: number }
  | { readonly kind: 'slower'; readonly ms: number }
  /** So many events a minute more of what is counted. */
  | { readonly kind: 'events'; readonly perMinute: number }
  /** Gauges, and what expressions give. */
  | { readonly kind: 'value-times'; readonly times: number }
  | { readonly kind: 'value-set'; readonly value: number }
  /** The new version gets so many times its part of the traffic. */
  | { readonly kind: 'requests-times'; readonly times: number }
  | { readonly kind: 'alert' }
  | { readonly kind: 'drop'; readonly series: string }
  | { readonly kind: 'stop-scrape' };

/** When it begins. */
export type Begin =
  { readonly step: string } | { readonly afterMs: number } | { readonly at: number };

export interface Injection {
  /** As people write it. */
  readonly text: string;
  readonly change: Change;
  readonly begin: Begin;
}

const FORMS =
  'errors×2, errors+1%, +100ms, events+10, requests×2, value×2, value=5, alert, drop:<series> or stop-scrape, and where it begins after an @: a stage or bake, a time such as 10m, or an instant such as 2026-01-31T12:00Z';

/**
 * `errors×2@canary`, `+100ms@10m`, `drop:http_requests_total@half`, `stop-scrape`. Without an @ it begins with the first
 * stage. Refused with INJECTION_MALFORMED or INJECTION_NOWHERE.
 */
export function readInjection(text: string, plan: Plan): Injection | Rejection {
  const split = text.lastIndexOf('@');
  const what = (split === -1 ? text : text.slice(0, split)).trim();
  const change = readChange(what);
  if (change === undefined)
    return reject('INJECTION_MALFORMED', `"${text}" is no injection; expected ${FORMS}.`);
  const steps = plan.steps.filter(isWatchedStep).map(watchedName);
  const begin = split === -1 ? firstOf(steps) : readBegin(text.slice(split + 1).trim(), steps);
  if (begin !== undefined) return { text, change, begin };
  const known = steps.join(', ') || 'none';
  return reject(
    'INJECTION_NOWHERE',
    `"${text}" begins nowhere; expected one of the plan's stages and bakes (${known}), a time such as 10m, or an instant such as 2026-01-31T12:00Z.`,
  );
}

const firstOf = ([step]: readonly string[]): Begin | undefined =>
  step === undefined ? undefined : { step };

function readBegin(text: string, steps: readonly string[]): Begin | undefined {
  if (steps.includes(text)) return { step: text };
  const afterMs = parseDuration(text);
  if (!isRejection(afterMs)) return { afterMs };
  const at = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isFinite(at) ? { at } : undefined;
}

const NUMBER = String.raw`(\d+(?:\.\d+)?)`;
const TIMES = String.raw`[×x*]${NUMBER}`;
const pattern = (source: string): RegExp => new RegExp(`^${source}$`);

/** One reader a form; the first that knows the text decides. */
const FORM_READERS: readonly (readonly [RegExp, (found: string) => Change | undefined])[] = [
  [pattern(`errors${TIMES}`), (times) => ({ kind: 'errors-times', times: Number(times) })],
  [
    pattern(String.raw`errors\+${NUMBER}\s*%`),
    (share) =>
      Number(share) <= 100 ? { kind: 'errors-share', share: Number(share) / 100 } : undefined,
  ],
  [pattern(String.raw`\+(\d.*)`), slower],
  [
    pattern(String.raw`events\+${NUMBER}(?:/m)?`),
    (perMinute) => ({ kind: 'events', perMinute: Number(perMinute) }),
  ],
  [pattern(`value${TIMES}`), (times) => ({ kind: 'value-times', times: Number(times) })],
  [
    pattern(String.raw`value=(-?\d+(?:\.\d+)?)`),
    (value) => ({ kind: 'value-set', value: Number(value) }),
  ],
  [pattern(`requests${TIMES}`), (times) => ({ kind: 'requests-times', times: Number(times) })],
  [pattern('(alert)'), () => ({ kind: 'alert' })],
  [pattern('drop:(.+)'), (series) => ({ kind: 'drop', series: series.trim() })],
  [pattern('(stop-scrape)'), () => ({ kind: 'stop-scrape' })],
];

function slower(text: string): Change | undefined {
  const ms = parseDuration(text);
  return isRejection(ms) || ms <= 0 ? undefined : { kind: 'slower', ms };
}

function readChange(text: string): Change | undefined {
  for (const [form, change] of FORM_READERS) {
    const found = form.exec(text)?.[1];
    if (found !== undefined) return change(found);
  }
  return undefined;
}

/** As `readInjection` reads it. */
export function changeText(change: Change): string {
  switch (change.kind) {
    case 'errors-times':
      return `errors×${change.times}`;
    case 'errors-share':
      return `errors+${Number((change.share * 100).toPrecision(3))}%`;
    case 'slower':
      return `+${formatDuration(change.ms)}`;
    case 'events':
      return `events+${change.perMinute}`;
    case 'value-times':
      return `value×${change.times}`;
    case 'value-set':
      return `value=${change.value}`;
    case 'requests-times':
      return `requests×${change.times}`;
    case 'drop':
      return `drop:${change.series}`;
    default:
      return change.kind;
  }
}
