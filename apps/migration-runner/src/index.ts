import { defineService } from '@tidegate/platform';
import { Config } from './config.ts';
import { migrationRunnerModule } from './migration-runner.module.ts';

export const migrationRunner = defineService({
  name: 'migration-runner',
  description:
    'Runs data migrations in batches: dry run, execute with checkpoint, verify, pause, resume.',
  defaultPort: 7403,
  config: Config,
  statuses: { RUN_NOT_ENDED: 409 },
  module: migrationRunnerModule,
});
export { shareLibrary } from '@tidegate/migration/files';
