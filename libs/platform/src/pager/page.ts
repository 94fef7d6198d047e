import { formatDuration } from '@tidegate/kernel';

export type PageSeverity = 'info' | 'warning' | 'critical';

/** Something that holds now and that a person must know of, if it goes on. */
export interface Condition {
  /** The same in every replica of the service. */
  readonly name: string;
  readonly severity: PageSeverity;
  /** Since when, ms since 1970. */
  readonly since: number;
  /** A person is paged once it has held for so long. */
  readonly afterMs: number;
  readonly title: string;
  /** What it means and what to do, at 3 a.m. */
  readonly text: string;
  /** Grows when there is more of it: what was told before is then told again. */
  readonly amount: number;
  /** What is said when it is over; undefined: nothing here knows when it is. */
  readonly over?: string;
}

export type PageKind = 'fired' | 'reminder' | 'resolved';

/** One message to whoever is on call. */
export interface Page {
  readonly name: string;
  readonly kind: PageKind;
  readonly severity: PageSeverity;
  readonly title: string;
  readonly text: string;
  readonly since: number;
  /** 1 for the first page of a condition. */
  readonly count: number;
}

export interface PagePolicy {
  /** What is not over is told again after so long. */
  readonly remindMs: number;
  /** If there is more of it: after so long. */
  readonly moreMs: number;
  /** What is gone for less is not over: it flaps. */
  readonly quietMs: number;
}

export const MINUTE_MS = 60_000;
export const pagePolicy = (afterMs: number): PagePolicy => ({
  remindMs: 15 * MINUTE_MS,
  moreMs: MINUTE_MS,
  // Twice what it takes to find out that something is away again.
  quietMs: Math.min(10_000, afterMs),
});

interface Entry {
  readonly condition: Condition;
  readonly since: number;
  readonly heldAt: number;
  /** Undefined: nobody was told yet. */
  readonly told?: { readonly at: number; readonly amount: number; readonly count: number };
}

/** What holds, and what was told of it. */
export type Book = ReadonlyMap<string, Entry>;

/** One page for a condition that goes on, a reminder from time to time, and one more when it is over. */
export function nextPages(
  book: Book,
  conditions: readonly Condition[],
  now: number,
  policy: PagePolicy,
): { readonly book: Book; readonly pages: readonly Page[] } {
  const next = new Map<string, Entry>();
  const pages: Page[] = [];
  for (const condition of conditions) {
    const { entry, page } = held(book.get(condition.name), condition, now, policy);
    next.set(condition.name, entry);
    if (page) pages.push(page);
  }
  for (const [name, entry] of book) {
    if (next.has(name)) continue;
    if (now - entry.heldAt < policy.quietMs) next.set(name, entry);
    else if (entry.told && entry.condition.over !== undefined) pages.push(resolved(entry));
  }
  return { book: next, pages };
}

/** The names of what a person was told of and that is not over. */
export const firing = (book: Book): readonly string[] =>
  [...book].filter(([, { told }]) => told !== undefined).map(([name]) => name);

function held(
  known: Entry | undefined,
  condition: Condition,
  now: number,
  policy: PagePolicy,
): { readonly entry: Entry; readonly page?: Page } {
  const since = known?.since ?? condition.since;
  const told = known?.told;
  const entry = { condition, since, heldAt: now, ...(told ? { told } : {}) };
  if (!isDue(condition, since, told, now, policy)) return { entry };
  const count = (told?.count ?? 0) + 1;
  const { name, severity, title, text, amount } = condition;
  const kind = told ? 'reminder' : 'fired';
  return {
    entry: { ...entry, told: { at: now, amount, count } },
    page: { name, kind, severity, title, text, since, count },
  };
}

function isDue(
  { afterMs, amount }: Condition,
  since: number,
  told: Entry['told'],
  now: number,
  { remindMs, moreMs }: PagePolicy,
): boolean {
  if (!told) return now - since >= afterMs;
  return now - told.at >= (amount > told.amount ? moreMs : remindMs);
}

function resolved({ condition, since, heldAt, told }: Entry): Page {
  const { name, title, over = '' } = condition;
  return {
    name,
    kind: 'resolved',
    severity: 'info',
    title: `Over: ${title}`,
    text: `${over} It lasted ${formatDuration(heldAt - since)}.`,
    since,
    count: (told?.count ?? 0) + 1,
  };
}
