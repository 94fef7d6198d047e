/**
 * migration-runner as a process of its own, that faults can be armed for in a file and whose clock is ahead by so much:
 * `migration-runner.ts <file> <milliseconds>`. Leases of a process that was killed have run out for the next one by that.
 */
import { migrationRunner } from '@tidegate/migration-runner';
import { runService } from '@tidegate/platform';
import { faultsIn } from './armed-fault.ts';

const [file = '', aheadMs = ''] = process.argv.slice(2);
if (file === '') throw new Error('Usage: migration-runner.ts <file of the armed fault> <ms>');
const clock = { now: () => Date.now() + Number(aheadMs) };
await runService(migrationRunner, { shared: { faults: faultsIn(file), clock } });
