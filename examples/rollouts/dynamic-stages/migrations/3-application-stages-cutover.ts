import { defineMigration } from '@tidegate/migration';

export default defineMigration({
  id: 'application-stages-cutover',
  phase: 'cutover',
  description:
    'From here on programs read stages; switching the flag off is the legacy reading of status.',
  target: 'recruiting',
  collection: 'applications',
  dependsOn: ['application-stages'],
  flag: 'FEATURE_DYNAMIC_STAGES',
  variant: 'on',
});
