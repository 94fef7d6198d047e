import { runService } from '@tidegate/platform';
import { auditSink } from './index.ts';

await runService(auditSink);
