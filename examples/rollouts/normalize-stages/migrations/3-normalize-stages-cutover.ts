import { defineMigration } from '@tidegate/migration';

export default defineMigration({
  id: 'normalize-stages-cutover',
  phase: 'cutover',
  description:
    'From here on reports read distribution; until then a dual read compares it with the shares.',
  target: 'reporting',
  collection: 'pipelines',
  dependsOn: ['normalize-stages'],
  flag: 'normalize-stages-read',
  variant: 'new',
});
