import { type FlagDefinition, referencesOf, type SegmentDefinition } from '@tidegate/contracts';
import type { Document, Documents } from '@tidegate/store';
import { flagId, splitFlagId } from '../flag/flags.ts';
import { isLiving, type StoredFlag } from '../flag/stored-flag.ts';
import { isPresent, type StoredSegment } from '../segment/stored-segment.ts';
import { type KnownFlag, MAX_REACHED, type Users } from './known.ts';
import { useOf } from './uses.ts';

/** What refers to what, as the store has it now. */
export interface References {
  /** Every flag that can be reached from `definition` by prerequisites, as far as they are needed to judge it. */
  flags(environment: string, definition: FlagDefinition): Promise<ReadonlyMap<string, KnownFlag>>;
  /** Every segment that can be reached from `definition`. */
  segments(
    environment: string,
    definition: FlagDefinition | SegmentDefinition,
  ): Promise<ReadonlyMap<string, readonly string[]>>;
  usersOf(kind: 'flag' | 'segment', environment: string, key: string): Promise<Users>;
}

const PAGE = 500;

export function createReferences(
  flags: Documents<StoredFlag>,
  segments: Documents<StoredSegment>,
): References {
  const flagAt = async (id: string): Promise<KnownFlag | undefined> => {
    const state = (await flags.load(id))?.state;
    if (!state || !isLiving(state)) return undefined;
    const { variants } = state.definition;
    const { flags: prerequisites } = referencesOf(state.definition);
    return { variants: Object.keys(variants), prerequisites };
  };
  const segmentAt = async (id: string): Promise<readonly string[] | undefined> => {
    const state = (await segments.load(id))?.state;
    return state && isPresent(state) ? referencesOf(state.definition).segments : undefined;
  };
  return {
    flags: (environment, definition) =>
      reached(
        referencesOf(definition).flags,
        (key) => flagAt(flagId(environment, key)),
        ({ prerequisites }) => prerequisites,
      ),
    segments: (environment, definition) =>
      reached(
        referencesOf(definition).segments,
        (key) => segmentAt(flagId(environment, key)),
        (next) => next,
      ),
    async usersOf(kind, environment, key) {
      const where = { [useOf(kind, key)]: true };
      const keysIn = async (documents: Documents<unknown>) =>
        keysOf(await allIn(documents, environment, where));
      const [using, sharing] = await Promise.all([keysIn(flags), keysIn(segments)]);
      return { flags: using, segments: sharing };
    },
  };
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
