import { expect, it, jest } from '@jest/globals';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

jest.setTimeout(30_000);

/** A program whose broker is not there: what kafkajs has to say of that is told by the bus, not by its log. */
const PROGRAM = `
  import { openKafkaBus } from ${JSON.stringify(new URL('bus.kafka.ts', import.meta.url))};
  const bus = await openKafkaBus({
    brokers: ['127.0.0.1:1'], clientId: 'spec', source: 'spec',
    clock: { now: Date.now }, ids: { next: () => 'i' }, random: { next: Math.random },
    budgets: { ask: 1500, publish: 1500, join: 500, close: 500 },
  });
  await bus.subscribe({ group: 'g', topics: ['kills'], types: new Set(), handle: async () => {} });
  const { code, message } = await bus.check().catch((error) => error);
  console.log(code, message);
  process.emitWarning('this one is ours', 'TimeoutNegativeWarning');
  await bus.close();
`;

it('keeps what kafkajs writes from the terminal, and nobody else’s warnings', async () => {
  const flags = ['--input-type=module', '--disable-warning=ExperimentalWarning'];
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [...flags, '-e', PROGRAM],
    { cwd: import.meta.dirname },
  );
  expect(stdout).toMatch(/^BUS_UNREACHABLE the brokers: .*ECONNREFUSED.*\n$/);
  expect(stderr).toMatch(
    /^\(node:\d+\) TimeoutNegativeWarning: this one is ours\n\(Use `node --trace-warnings .*\)\n$/,
  );
});
