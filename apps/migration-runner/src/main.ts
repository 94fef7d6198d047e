import { runService } from '@tidegate/platform';
import { migrationRunner, shareLibrary } from './index.ts';

shareLibrary();
await runService(migrationRunner);
