import type { Collection } from '@tidegate/store';
import type { Alerts } from './alert.ts';

/** By rollout. */
export const alertCollection: Collection<Alerts> = {
  name: 'rollout-alerts',
  schemaVersion: 1,
  index: ({ nextAt }) => (nextAt === null ? {} : { dueAt: nextAt }),
};
