import { defineMigration } from '@tidegate/migration';

export default defineMigration({
  id: 'pipelines-distribution-index',
  phase: 'schema',
  description: 'What normalize-stages-documents looks documents up by.',
  target: 'recruiting',
  collection: 'pipelines',
  indexes: [{ name: 'pipelines_by_distribution_form', fields: { distribution_form: 1, _id: 1 } }],
});
