import { runService } from '@tidegate/platform';
import { notifier } from './index.ts';

await runService(notifier);
