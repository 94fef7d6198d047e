export {
  type Loaded,
  loadMigrations,
  type Migrations,
  readMigrations,
  shareLibrary,
} from './migrations.file.ts';
