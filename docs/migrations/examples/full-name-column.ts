import { defineMigration } from '@tidegate/migration';

export default defineMigration({
  id: 'full-name-column',
  description: 'A place for the full name of a person.',
  phase: 'schema',
  target: 'shop',
  collection: 'people',
  columns: [{ name: 'fullName', type: 'TEXT' }],
});
