import { runService } from '@tidegate/platform';
import { metricsGatekeeper } from './index.ts';

await runService(metricsGatekeeper);
