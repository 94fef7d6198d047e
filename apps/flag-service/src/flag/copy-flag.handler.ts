import type { FlagDefinition, PutFlag } from '@tidegate/contracts';
import { isRejection, reject, type Rejection } from '@tidegate/kernel';
import type { Document, Documents } from '@tidegate/store';
import { environmentUnknown, type Environments } from '../environment/environments.handler.ts';
import { type Difference, differences } from '../history/differences.ts';
import type { FlagKnown } from '../reference/flag-known.handler.ts';
import { flagDecider, flagDeciderKnowing } from './flag.ts';
import { shownDefinition } from './flag-body.ts';
import { unknown } from './flag-refusals.ts';
import { flagId } from './flags.ts';
import { isLiving, type LivingFlag, type StoredFlag } from './stored-flag.ts';

/** What a copy would write, and what would be other than it is there now. */
export interface Copy {
  readonly definition: FlagDefinition;
  /** So that a flag which is new there reaches the same users. */
  readonly salt: string;
  readonly changes: readonly Difference[];
  /** The flag there, as it is now. */
  readonly there: Document<StoredFlag> | undefined;
  /** Of the flag that is copied. */
  readonly version: number;
}

export interface CopyFlag {
  /** Refused ENVIRONMENT_UNKNOWN, FLAG_UNKNOWN, COPY_TO_ITSELF. */
  prepare(key: string, from: string, to: string): Promise<Copy | Rejection>;
  /** What the rules would say to the write, without doing it; undefined if they have nothing against it. */
  rehearse(command: PutFlag, { there }: Copy): Promise<Rejection | undefined>;
}

export interface CopyFlagParts {
  readonly flags: Pick<Documents<StoredFlag>, 'load'>;
  readonly environments: Pick<Environments, 'has'>;
  readonly known: FlagKnown;
}

/** Copies what people write. Whether the flag is disabled, held or scheduled stays where it is. */
export function createCopyFlag({ flags, environments, known }: CopyFlagParts): CopyFlag {
  return {
    async prepare(key, from, to) {
      if (from === to)
        return reject('COPY_TO_ITSELF', `to: ${to} is where the flag is; expected another one.`);
      for (const environment of [from, to])
        if (!(await environments.has(environment))) return environmentUnknown(environment);
      const [here, there] = await Promise.all(
        [from, to].map((environment) => flags.load(flagId(environment, key))),
      );
      const source = livingIn(here);
      if (!source) return unknown({ environment: from, key });
      const { definition, salt, version } = source;
      const now = livingIn(there);
      const changes = differences(
        now ? shownDefinition(now.definition) : null,
        shownDefinition(definition),
      );
      return { definition, salt, changes, there, version };
    },
    async rehearse(command, { there }) {
      const { decide } = flagDeciderKnowing(await known(command));
      const decision = decide(command, there?.state ?? flagDecider.initial);
      return isRejection(decision) ? decision : undefined;
    },
  };
}

const livingIn = (document: Document<StoredFlag> | undefined): LivingFlag | undefined =>
  document && isLiving(document.state) ? document.state : undefined;
