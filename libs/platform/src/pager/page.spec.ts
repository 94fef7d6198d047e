import { describe, expect, it } from '@jest/globals';
import { type Book, type Condition, firing, nextPages, pagePolicy, type Page } from './page.ts';

const policy = pagePolicy(15_000);
const away = (since: number, more: Partial<Condition> = {}): Condition => ({
  name: 'bus-away',
  severity: 'critical',
  since,
  afterMs: 15_000,
  title: 'the bus is away',
  text: 'Look at the brokers.',
  amount: 1,
  over: 'The bus is back.',
  ...more,
});

/** Looks each second from `from` to `to`, in seconds, at what holds then. */
function watch(
  to: number,
  holds: (at: number) => readonly Condition[],
  { from = 0, book = new Map() as Book } = {},
) {
  const told: (Page & { at: number })[] = [];
  for (let at = from; at <= to; at += 1) {
    const { book: next, pages } = nextPages(book, holds(at), at * 1_000, policy);
    book = next;
    told.push(...pages.map((page) => ({ ...page, at })));
  }
  return { told, book, kinds: told.map(({ kind, at }) => `${kind} at ${at}`) };
}

describe('a condition', () => {
  it('is paged once, when it has held for as long as it may, and not each second', () => {
    const { told, book } = watch(600, (at) => (at < 3 ? [] : [away(3_000)]));
    expect(told).toEqual([
      {
        at: 18,
        name: 'bus-away',
        kind: 'fired',
        severity: 'critical',
        title: 'the bus is away',
        text: 'Look at the brokers.',
        since: 3_000,
        count: 1,
      },
    ]);
    expect(firing(book)).toEqual(['bus-away']);
  });

  it('that ends before is not paged at all', () => {
    expect(watch(100, (at) => (at >= 3 && at < 17 ? [away(3_000)] : [])).told).toEqual([]);
  });

  it('is told again after a quarter of an hour, as often as it goes on', () => {
    const { kinds, told } = watch(2_000, () => [away(0)]);
    expect(kinds).toEqual(['fired at 15', 'reminder at 915', 'reminder at 1815']);
    expect(told.map(({ count }) => count)).toEqual([1, 2, 3]);
  });

  it('is told to be over, with how long it lasted, and may begin again', () => {
    const { told, book } = watch(200, (at) =>
      at < 100 ? [away(0)] : at < 150 ? [] : [away(150_000)],
    );
    expect(told).toMatchObject([
      { kind: 'fired', at: 15 },
      {
        kind: 'resolved',
        at: 109,
        severity: 'info',
        title: 'Over: the bus is away',
        text: 'The bus is back. It lasted 1m39s.',
        since: 0,
        count: 2,
      },
      { kind: 'fired', at: 165, since: 150_000, count: 1 },
    ]);
    expect(firing(book)).toEqual(['bus-away']);
  });

  it('that flaps is one condition: its short ends end nothing, and its time counts from the first', () => {
    const flapping = (at: number) => (at % 4 === 3 ? [] : [away(at * 1_000)]);
    expect(watch(800, flapping).kinds).toEqual(['fired at 16']);
    const mostlyAway = (at: number) => (at % 22 < 13 ? [away((at - (at % 22)) * 1_000)] : []);
    expect(watch(200, mostlyAway).kinds).toEqual(['fired at 22']);
  });

  it('that comes and goes slowly is paged no more often than it can end and last', () => {
    const slowly = (at: number) => (at % 40 < 20 ? [away(at * 1_000)] : []);
    const { kinds } = watch(400, slowly);
    expect(kinds.filter((each) => each.startsWith('fired'))).toHaveLength(10);
    expect(kinds.filter((each) => each.startsWith('resolved'))).toHaveLength(10);
  });

  it('is told again within a minute if there is more of it', () => {
    const { kinds } = watch(200, (at) => [away(0, { amount: at < 20 ? 1 : 2 })]);
    expect(kinds).toEqual(['fired at 15', 'reminder at 75']);
  });

  it('of which nobody here knows the end is not told to be over', () => {
    const { over: _, ...letter } = away(0, { name: 'kill-given-up', afterMs: 0 });
    const { kinds, book } = watch(100, (at) => (at < 50 ? [letter] : []));
    expect(kinds).toEqual(['fired at 0']);
    expect(firing(book)).toEqual([]);
  });

  it('has nothing to do with another one', () => {
    const store = away(10_000, { name: 'store-away' });
    const { told } = watch(60, (at) => [
      ...(at < 20 ? [away(0)] : []),
      ...(at < 10 ? [] : [store]),
    ]);
    expect(told.map(({ name, kind, at }) => `${name} ${kind} ${at}`)).toEqual([
      'bus-away fired 15',
      'store-away fired 25',
      'bus-away resolved 29',
    ]);
  });
});
