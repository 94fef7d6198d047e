import { defineMigration } from '@tidegate/migration';

export default defineMigration({
  id: 'pipelines-distribution-columns',
  phase: 'schema',
  description:
    'Columns for what normalize-stages makes of the shares; programs that do not know them go on writing.',
  target: 'reporting',
  collection: 'pipelines',
  columns: [
    { name: 'stage_key', type: 'text' },
    { name: 'distribution', type: 'jsonb' },
    { name: 'distribution_form', type: 'integer' },
  ],
  indexes: [{ name: 'pipelines_by_distribution_form', fields: { distribution_form: 1, id: 1 } }],
});
