import type { RunMigration } from '@tidegate/contracts';

/** What whoever started the run has chosen, as far as reports judge by it. */
export type Choices = Pick<
  RunMigration['data'],
  'onError' | 'maxErrors' | 'backup' | 'flow' | 'sampleSize'
>;
