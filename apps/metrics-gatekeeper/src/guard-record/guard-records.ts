import type { Collection } from '@tidegate/store';
import type { GuardRecord } from './guard-record.ts';

/** By plan. */
export const guardRecordCollection: Collection<GuardRecord> = {
  name: 'guard-records',
  schemaVersion: 1,
  index: () => ({}),
};
