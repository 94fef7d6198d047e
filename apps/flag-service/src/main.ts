import { runService } from '@tidegate/platform';
import { flagService } from './index.ts';

await runService(flagService);
