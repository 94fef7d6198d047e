import {
  type FlagDefinition,
  type FlagRecord,
  referencesOf,
  type SegmentRecord,
  type SegmentDefinition,
} from '@tidegate/contracts';
import type { Document, Documents } from '@tidegate/store';
import { flagId, recordOf, splitFlagId } from '../flag/flags.ts';
import { isLiving, type StoredFlag } from '../flag/stored-flag.ts';
import { segmentRecordOf } from '../segment/segments.ts';
import type { StoredSegment } from '../segment/stored-segment.ts';
import { MAX_REACHED, type Users } from './known.ts';
import { useOf } from './uses.ts';

/** What refers to what, as the store has it now. */
export interface References {
  /** Every flag that can be reached from `definition` by prerequisites, as far as they are needed to judge it. */
  flags(environment: string, definition: FlagDefinition): Promise<ReadonlyMap<string, FlagRecord>>;
  /** Every segment that can be reached from `definition`. */
  segments(
    environment: string,
    definition: FlagDefinition | SegmentDefinition,
  ): Promise<ReadonlyMap<string, SegmentRecord>>;
  usersOf(kind: 'flag' | 'segment', environment: string, key: string): Promise<Users>;
  /** Variants of a flag that others wait for; looked up only if `definition` takes some away. */
  awaited(
    environment: string,
    key: string,
    definition: FlagDefinition,
  ): Promise<ReadonlyMap<string, readonly string[]>>;
}

const PAGE = 500;

export function createReferences(
  flags: Documents<StoredFlag>,
  segments: Documents<StoredSegment>,
): References {
  const flagAt = async (id: string): Promise<FlagRecord | undefined> => {
    const document = await flags.load(id);
    const record = document && recordOf(id, document, document.state);
    return record?.flag ? record : undefined;
  };
  const segmentAt = async (id: string): Promise<SegmentRecord | undefined> => {
    const document = await segments.load(id);
    const record = document && segmentRecordOf(id, document, document.state);
    return record?.segment ? record : undefined;
  };
  return {
    flags: (environment, definition) =>
      reached(
        referencesOf(definition).flags,
        (key) => flagAt(flagId(environment, key)),
        ({ flag }) => (flag ? referencesOf(flag.definition).flags : []),
      ),
    segments: (environment, definition) =>
      reached(
        referencesOf(definition).segments,
        (key) => segmentAt(flagId(environment, key)),
        ({ segment }) => (segment ? referencesOf(segment.definition).segments : []),
      ),
    async usersOf(kind, environment, key) {
      const where = { [useOf(kind, key)]: true };
      const keysIn = async (documents: Documents<unknown>) =>
        keysOf(await allIn(documents, environment, where));
      const [using, sharing] = await Promise.all([keysIn(flags), keysIn(segments)]);
      return { flags: using, segments: sharing };
    },
    async awaited(environment, key, definition) {
      const now = await flagAt(flagId(environment, key));
      const before = Object.keys(now?.flag?.definition.variants ?? {});
      if (before.every((variant) => Object.hasOwn(definition.variants, variant))) return new Map();
      const waiting = await allIn(flags, environment, { [useOf('flag', key)]: true });
      return awaitedBy(key, waiting);
    },
  };
}

function awaitedBy(
  key: string,
  waiting: readonly Document<StoredFlag>[],
): ReadonlyMap<string, readonly string[]> {
  const awaited = new Map<string, string[]>();
  for (const { id, state } of waiting)
    for (const { flag, variants } of isLiving(state) ? state.definition.prerequisites : [])
      for (const variant of flag === key ? variants : [])
        awaited.set(variant, [...(awaited.get(variant) ?? []), splitFlagId(id).key]);
  return awaited;
}

/** Level by level; one more than may be reached is enough to refuse. */
async function reached<T>(
  first: readonly string[],
  load: (key: string) => Promise<T | undefined>,
  next: (found: T) => readonly string[],
): Promise<ReadonlyMap<string, T>> {
  const found = new Map<string, T>();
  const asked = new Set<string>();
  for (let level = first; level.length > 0 && found.size <= MAX_REACHED;) {
    const keys = [...new Set(level)].filter((key) => !asked.has(key));
    for (const key of keys) asked.add(key);
    const loaded = await Promise.all(keys.map(async (key) => [key, await load(key)] as const));
    const here = loaded.flatMap(([key, each]) =>
      each === undefined ? [] : [[key, each] as const],
    );
    for (const [key, each] of here) found.set(key, each);
    level = here.flatMap(([, each]) => next(each));
  }
  return found;
}

/** Every document of one environment that has the fields of `where`. */
export async function allIn<S>(
  documents: Documents<S>,
  environment: string,
  where: Readonly<Record<string, string | number | boolean>>,
): Promise<readonly Document<S>[]> {
  const prefix = flagId(environment, '');
  const all: Document<S>[] = [];
  for (let after = prefix; ;) {
    const page = await documents.list({ where, after, limit: PAGE });
    const ours = page.filter(({ id }) => id.startsWith(prefix));
    all.push(...ours);
    after = ours.at(-1)?.id ?? '';
    if (ours.length < PAGE) return all;
  }
}

const keysOf = (documents: readonly Document<unknown>[]): readonly string[] =>
  documents.map(({ id }) => splitFlagId(id).key);
