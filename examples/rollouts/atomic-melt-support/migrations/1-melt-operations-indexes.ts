import { defineMigration } from '@tidegate/migration';

export default defineMigration({
  id: 'melt-operations-indexes',
  phase: 'schema',
  description: 'What the migrations of operations, and a retried melt, look operations up by.',
  target: 'wallets',
  collection: 'operations',
  indexes: [
    { name: 'operations_by_version', fields: { 'operation.version': 1, _id: 1 } },
    { name: 'operations_by_legacy', fields: { kind: 1, 'operation.legacy': 1, _id: 1 } },
    { name: 'operations_by_key', fields: { 'operation.key': 1 } },
  ],
});
