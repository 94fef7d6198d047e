import { mustHaveServers } from '../servers/servers.ts';
import { findProgram } from '../servers/tools.ts';

const missing = ['java', 'redis-server'].filter((name) => !findProgram(name));

/** Those that can be killed are started natively; in CI it is a failure that they are not there. */
export const hasServers = missing.length === 0 || mustHaveServers();
if (!hasServers)
  process.stderr.write(`SKIPPED faults over separate processes: no ${missing.join(', ')}\n`);
