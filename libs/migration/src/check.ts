export { checkMigration, type Finding } from './check-migration.ts';
