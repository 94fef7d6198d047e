import { runService } from '@tidegate/platform';
import { migrationRunner } from './index.ts';

await runService(migrationRunner);
