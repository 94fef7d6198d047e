import { defineMigration } from '@tidegate/migration';

export default defineMigration({
  id: 'atomic-melt-cutover',
  phase: 'cutover',
  description:
    'From here on programs read the phase of an operation, and melts are atomic where the flag says so.',
  target: 'wallets',
  collection: 'operations',
  dependsOn: ['melt-operation-metadata', 'melt-legacy-operations'],
  flag: 'ATOMIC_MELT',
  variant: 'on',
});
