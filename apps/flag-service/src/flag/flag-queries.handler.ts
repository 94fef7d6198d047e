import type { Rejection, Revision } from '@tidegate/kernel';
import type { Documents } from '@tidegate/store';
import { environmentUnknown, type Environments } from '../environment/environments.handler.ts';
import { type ShownFlag, shownFlag } from './flag-body.ts';
import { unknown } from './flag-refusals.ts';
import { flagId, splitFlagId } from './flags.ts';
import { type StoredFlag, viewOf } from './stored-flag.ts';

/** A flag as people get it. */
export interface FoundFlag extends Revision {
  readonly environment: string;
  readonly key: string;
  readonly flag: ShownFlag | null;
}

export interface FlagQueries {
  /** Refused ENVIRONMENT_UNKNOWN or FLAG_UNKNOWN. */
  find(environment: string, key: string): Promise<FoundFlag | Rejection>;
  /** In order of key, those after `after`; refused ENVIRONMENT_UNKNOWN. */
  list(
    environment: string,
    page: { after?: string | undefined; limit: number },
  ): Promise<readonly FoundFlag[] | Rejection>;
}

export const foundFlag = (
  environment: string,
  key: string,
  { epoch, version, state }: Revision & { readonly state: StoredFlag },
): FoundFlag => ({ environment, key, version, epoch, flag: shownFlag(viewOf(state)) });

/** Reads the store: what it says is what the next write is checked against. */
export function createFlagQueries(
  flags: Documents<StoredFlag>,
  environments: Pick<Environments, 'has'>,
): FlagQueries {
  return {
    async find(environment, key) {
      if (!(await environments.has(environment))) return environmentUnknown(environment);
      const document = await flags.load(flagId(environment, key));
      if (!document || viewOf(document.state) === null) return unknown({ environment, key });
      return foundFlag(environment, key, document);
    },
    async list(environment, { after = '', limit }) {
      if (!(await environments.has(environment))) return environmentUnknown(environment);
      const page = await flags.list({
        where: { living: true },
        after: flagId(environment, after),
        limit,
      });
      return page
        .map((document) => ({ document, ...splitFlagId(document.id) }))
        .filter((found) => found.environment === environment)
        .map(({ document, key }) => foundFlag(environment, key, document));
    },
  };
}
