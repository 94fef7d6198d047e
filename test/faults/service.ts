/** One service as a process of its own, as its `main.ts` runs it, but that faults can be armed in a file: `service.ts <service> <file>`. */
import { auditSink } from '@tidegate/audit-sink';
import { flagService } from '@tidegate/flag-service';
import { metricsGatekeeper } from '@tidegate/metrics-gatekeeper';
import { migrationRunner } from '@tidegate/migration-runner';
import { notifier } from '@tidegate/notifier';
import { runService } from '@tidegate/platform';
import { faultsIn } from './armed-fault.ts';

type Options = Parameters<typeof runService>[1];

const services: Readonly<Record<string, (options: Options) => Promise<void>>> = {
  'audit-sink': (options) => runService(auditSink, options),
  'flag-service': (options) => runService(flagService, options),
  'metrics-gatekeeper': (options) => runService(metricsGatekeeper, options),
  'migration-runner': (options) => runService(migrationRunner, options),
  notifier: (options) => runService(notifier, options),
};

const [name = '', file = ''] = process.argv.slice(2);
const run = services[name];
if (!run || file === '') throw new Error('Usage: service.ts <service> <file of the armed fault>');
await run({ shared: { faults: faultsIn(file) } });
