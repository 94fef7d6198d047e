import type { ServiceContext } from '@tidegate/platform';
import type { Document } from '@tidegate/store';
import type { z } from 'zod';
import type { Config } from './config.ts';
import { createEnvironments, environmentCollection } from './environment/environments.handler.ts';
import { type ChangeFlag, createChangeFlag } from './flag/change-flag.handler.ts';
import { flagCollection } from './flag/flags.ts';
import { type CopyFlagParts, createCopyFlag } from './flag/copy-flag.handler.ts';
import { createDisableFlags, type DisableFlagsParts } from './flag/disable-flags.handler.ts';
import { createFlagQueries, type FlagQueriesParts } from './flag/flag-queries.handler.ts';
import type { StoredFlag } from './flag/stored-flag.ts';
import { createWriteFlag } from './flag/write-flag.http.ts';

import {
  createHistory,
  createSegmentHistory,
  type PastSegmentChange,
} from './history/history.handler.ts';
import type { PastChange } from './history/history.ts';
import { createImportFlags, type ImportParts } from './import/import-flags.handler.ts';
import type { Recovery } from './recovery/recovery.handler.ts';
import { createFlagKnown } from './reference/flag-known.handler.ts';
import { createReferences } from './reference/references.handler.ts';
import { type ChangeSegment, createChangeSegment } from './segment/change-segment.handler.ts';
import { segmentCollection } from './segment/segments.ts';
import type { StoredSegment } from './segment/stored-segment.ts';
import * as token from './tokens.ts';

/** Whoever serves what was changed. */
interface Told {
  saved(flag: Document<StoredFlag>): void;
  savedSegment(segment: Document<StoredSegment>): void;
  countFlags(environment: string): Promise<number>;
}

/** The documents, and the one way each of them changes. */
export function openChanges({ store, execute }: ServiceContext, told: Told) {
  const flags = store.documents(flagCollection);
  const segments = store.documents(segmentCollection);
  const environments = createEnvironments(execute, store.documents(environmentCollection));
  const references = createReferences(flags, segments);
  const common = { execute, flags, segments, environments, references };
  const known = createFlagKnown(references, (environment) => told.countFlags(environment));
  const changeFlag = createChangeFlag({
    ...common,
    known,
    saved: (flag) => told.saved(flag),
  });
  const changeSegment = createChangeSegment({
    ...common,
    saved: (segment) => told.savedSegment(segment),
  });
  return { flags, segments, environments, references, known, changeFlag, changeSegment };
}

interface Changes {
  readonly changeFlag: ChangeFlag;
  readonly changeSegment: ChangeSegment;
}

/** Nothing changes before what a restored store has lost is recovered. */
export const afterRecovery = (
  recovery: Pick<Recovery, 'passed'>,
  { changeFlag, changeSegment }: Changes,
): Changes => ({
  changeFlag: async (command) => {
    await recovery.passed();
    return changeFlag(command);
  },
  changeSegment: async (command) => {
    await recovery.passed();
    return changeSegment(command);
  },
});

/** What every flag and segment has been through. */
export const openHistories = ({ store }: Pick<ServiceContext, 'store'>) => ({
  history: createHistory(store.projection<PastChange>('flag-history'), store.epoch),
  segmentHistory: createSegmentHistory(
    store.projection<PastSegmentChange>('segment-history'),
    store.epoch,
  ),
});

type FlagsParts = CopyFlagParts &
  DisableFlagsParts &
  ImportParts &
  Pick<FlagQueriesParts, 'lastAsked'>;
const DAY_MS = 86_400_000;

/** What people ask of flags. */
export function openFlags(
  context: ServiceContext,
  config: Pick<z.output<typeof Config>, 'FLAG_SERVICE_STALE_AFTER_DAYS'>,
  parts: FlagsParts,
): readonly (readonly [symbol, unknown])[] {
  const staleAfterMs = config.FLAG_SERVICE_STALE_AFTER_DAYS * DAY_MS;
  return [
    [token.COPY_FLAG, createCopyFlag(parts)],
    [token.DISABLE_FLAGS, createDisableFlags(parts)],
    [token.FLAG_QUERIES, createFlagQueries({ ...parts, clock: context.clock, staleAfterMs })],
    [token.IMPORT_FLAGS, createImportFlags(parts)],
    [token.WRITE_FLAG, createWriteFlag({ ...parts, context })],
  ];
}
