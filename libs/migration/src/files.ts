export { type Loaded, loadMigrations, type Migrations } from './migrations.file.ts';
