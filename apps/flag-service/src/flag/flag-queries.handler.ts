import type { Flag } from '@tidegate/contracts';
import { type Clock, type Rejection, type Revision } from '@tidegate/kernel';
import type { Document, Documents } from '@tidegate/store';
import type { LastAsked } from '../adoption/last-asked.port.ts';
import { environmentUnknown, type Environments } from '../environment/environments.handler.ts';
import { type ShownFlag, shownFlag } from './flag-body.ts';
import { type FlagFilter, matches } from './flag-filter.ts';
import { unknown } from './flag-refusals.ts';
import { flagId, splitFlagId } from './flags.ts';
import { type Stale, staleness } from './staleness.ts';
import { isLiving, type LivingFlag, type StoredFlag, viewOf } from './stored-flag.ts';

/** A flag as people get it. */
export interface FoundFlag extends Revision {
  readonly environment: string;
  readonly key: string;
  readonly flag: ShownFlag | null;
  /** Why it may not be needed any more; only where that was asked for. */
  readonly stale?: readonly Stale[];
}

export interface FlagList extends FlagFilter {
  readonly after?: string | undefined;
  readonly limit: number;
  /** Only those that may not be needed any more. */
  readonly stale?: boolean | undefined;
}

export interface FlagQueries {
  /** Refused ENVIRONMENT_UNKNOWN or FLAG_UNKNOWN. */
  find(environment: string, key: string): Promise<FoundFlag | Rejection>;
  /** The version that deleted the flag; undefined if there is one, or never was. */
  deletedAt(environment: string, key: string): Promise<number | undefined>;
  /**
   * In order of key, those after `after` that match; refused ENVIRONMENT_UNKNOWN. With `stale` thrown
   * ADOPTION_UNREACHABLE while nobody knows what is asked for: half a list would pass for a whole one.
   */
  list(environment: string, wanted: FlagList): Promise<readonly FoundFlag[] | Rejection>;
}

export const foundFlag = (
  environment: string,
  key: string,
  { epoch, version, state }: Revision & { readonly state: StoredFlag },
): FoundFlag => ({ environment, key, version, epoch, flag: shownFlag(viewOf(state)) });

export interface FlagQueriesParts {
  readonly flags: Documents<StoredFlag>;
  readonly environments: Pick<Environments, 'has'>;
  readonly clock: Clock;
  readonly lastAsked: LastAsked;
  /** How long is long. */
  readonly staleAfterMs: number;
}

/** Reads the store: what it says is what the next write is checked against. */
export function createFlagQueries(parts: FlagQueriesParts): FlagQueries {
  const { flags, environments } = parts;
  return {
    async find(environment, key) {
      if (!(await environments.has(environment))) return environmentUnknown(environment);
      const document = await flags.load(flagId(environment, key));
      if (!document || viewOf(document.state) === null) return unknown({ environment, key });
      return foundFlag(environment, key, document);
    },
    async deletedAt(environment, key) {
      const state = (await flags.load(flagId(environment, key)))?.state;
      return state?.status === 'deleted' ? state.version : undefined;
    },
    async list(environment, { after = '', limit, stale = false, ...filter }) {
      if (!(await environments.has(environment))) return environmentUnknown(environment);
      const judge = stale ? await judgeOf(parts, environment) : undefined;
      const found: FoundFlag[] = [];
      const isNarrowed = stale || Object.values(filter).some((value) => value !== undefined);
      const page = { after, size: isNarrowed ? PAGE : limit };
      for await (const { key, document, state } of living(flags, environment, page)) {
        if (!matches(key, viewOf(state) as Flag, filter)) continue;
        const reasons = judge?.(key, state);
        if (reasons?.length === 0) continue;
        const shown = foundFlag(environment, key, document);
        found.push(reasons ? { ...shown, stale: reasons } : shown);
        if (found.length === limit) break;
      }
      return found;
    },
  };
}

const PAGE = 200;

/** Every flag of an environment from there on, in order of key, page by page. */
async function* living(
  flags: Documents<StoredFlag>,
  environment: string,
  { after: from, size }: { readonly after: string; readonly size: number },
) {
  for (let after = flagId(environment, from); ;) {
    const page = await flags.list({ where: { living: true }, after, limit: size });
    for (const document of page) {
      const { environment: of, key } = splitFlagId(document.id);
      if (of !== environment) return;
      if (isLiving(document.state)) yield { key, document, state: document.state };
    }
    const last: Document<StoredFlag> | undefined = page.at(-1);
    if (!last || page.length < size) return;
    after = last.id;
  }
}

async function judgeOf(parts: FlagQueriesParts, environment: string) {
  const { lastAsked, clock, staleAfterMs: longMs } = parts;
  const asked = await lastAsked.lastAsked(environment);
  const used = await prerequisitesIn(parts.flags, environment);
  const now = clock.now();
  return (key: string, flag: LivingFlag) =>
    staleness(key, flag, asked, { now, longMs, isUsed: used.has(key) });
}

/** Every flag that another one has as a prerequisite. */
async function prerequisitesIn(
  flags: Documents<StoredFlag>,
  environment: string,
): Promise<ReadonlySet<string>> {
  const used = new Set<string>();
  for await (const { state } of living(flags, environment, { after: '', size: PAGE }))
    for (const { flag } of state.definition.prerequisites) used.add(flag);
  return used;
}
