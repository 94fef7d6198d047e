import { defineMigration } from '@tidegate/migration';

export default defineMigration({
  id: 'full-name-column',
  description: 'A place for the full name of a person, and an index that finds who has none.',
  phase: 'schema',
  target: 'shop',
  collection: 'people',
  columns: [{ name: 'fullName', type: 'TEXT' }],
  indexes: [{ name: 'people_by_full_name', fields: { fullName: 1 } }],
});
