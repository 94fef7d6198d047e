import type { AdoptionCounts, HourCount, UnknownKey } from './adoption-counts.port.ts';
import {
  type Counted,
  HOUR_MS,
  hourOf,
  KEPT_HOURS,
  MOST_CELLS_OF_FLAG,
  MOST_UNKNOWN,
  OTHERS,
} from './counted.ts';

/** Beyond so many counts in an environment the oldest hours are forgotten early, and new applications share counts. */
const MOST_CELLS = 100_000;

interface Environment {
  /** By hour, flag, and application with variant. The oldest hour stands first. */
  readonly hours: Map<number, Map<string, Map<string, HourCount>>>;
  readonly asked: Map<string, number>;
  /** The one not asked for the longest stands first. */
  readonly unknown: Map<string, UnknownKey>;
  lastFetched?: number;
  cells: number;
}

/** Counts of one process, gone with it: for one that has no Redis. @param countedSince ms since 1970 */
export function embeddedCounts(countedSince: number): AdoptionCounts {
  const environments = new Map<string, Environment>();
  const of = (name: string): Environment => {
    const known = environments.get(name);
    if (known) return known;
    const made = { hours: new Map(), asked: new Map(), unknown: new Map(), cells: 0 };
    environments.set(name, made);
    return made;
  };
  return {
    add: async (environment, counted) => addTo(of(environment), counted),
    counts: async (environment, flag, { hours, now }) => {
      const first = hourOf(now) - hours;
      return [...of(environment).hours]
        .filter(([hour]) => hour > first)
        .flatMap(([, flags]) => [...(flags.get(flag)?.values() ?? [])]);
    },
    asked: async (environment) => {
      const { asked, lastFetched } = of(environment);
      const flags = new Map(asked);
      return { countedSince, flags, ...(lastFetched === undefined ? {} : { lastFetched }) };
    },
    unknown: async (environment) => [...of(environment).unknown.values()].reverse(),
  };
}

function addTo(environment: Environment, { at, served, unknown, fetched }: Counted): void {
  const hour = hourOf(at);
  for (const { application, flag, variant, count } of served) {
    const cells = cellsOf(environment, hour, flag);
    const named = cellId(application, variant);
    const isFull = environment.cells >= MOST_CELLS || cells.size >= MOST_CELLS_OF_FLAG;
    const isOther = isFull && !cells.has(named);
    const [who, id] = isOther ? [OTHERS, cellId(OTHERS, variant)] : [application, named];
    const before = cells.get(id);
    if (!before) environment.cells += 1;
    const total = (before?.count ?? 0) + count;
    cells.set(id, { hour: hour * HOUR_MS, application: who, variant, count: total });
    environment.asked.set(flag, Math.max(at, environment.asked.get(flag) ?? 0));
  }
  for (const { key, application, count } of unknown) {
    const before = environment.unknown.get(key);
    environment.unknown.delete(key);
    const total = (before?.count ?? 0) + count;
    environment.unknown.set(key, { key, count: total, lastAsked: at, application });
  }
  if (fetched) environment.lastFetched = Math.max(at, environment.lastFetched ?? 0);
  forget(environment, hour - KEPT_HOURS);
}

const cellId = (application: string, variant: string): string =>
  JSON.stringify([application, variant]);

function cellsOf({ hours }: Environment, hour: number, flag: string): Map<string, HourCount> {
  const flags = hours.get(hour) ?? new Map<string, Map<string, HourCount>>();
  hours.set(hour, flags);
  const cells = flags.get(flag) ?? new Map<string, HourCount>();
  flags.set(flag, cells);
  return cells;
}

function forget(environment: Environment, upTo: number): void {
  for (const [hour, flags] of environment.hours) {
    if (hour > upTo && (environment.cells <= MOST_CELLS || environment.hours.size === 1)) break;
    for (const cells of flags.values()) environment.cells -= cells.size;
    environment.hours.delete(hour);
  }
  for (const key of environment.unknown.keys()) {
    if (environment.unknown.size <= MOST_UNKNOWN) break;
    environment.unknown.delete(key);
  }
}
