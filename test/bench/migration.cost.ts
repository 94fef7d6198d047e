import { join } from 'node:path';
import { about, type Bed } from './migration.bed.ts';
import { EVERY_MS, quantile, readers } from './migration.readers.ts';
import { openRunner } from './migration.runner.ts';

/** READ_MS: how long readers are watched. */
const READ_MS = Number(process.env['READ_MS'] ?? 10_000);
const THROTTLED = { batchSize: 20, flow: { niceRatio: 10, targetBatchMs: 50 } };
const AT_MOST = 120;

/** What a reader feels while documents are written, as fast as it goes and throttled. */
export async function slowdown({ name, documents, database, runner, figure }: Bed): Promise<void> {
  const what = `${name}, a reader of ${1_000 / EVERY_MS} documents/s`;
  const felt = async (beside: string, options?: object): Promise<number> => {
    await database.load(documents, 1);
    const run = options && (await runner.begin('orders', 'execute', options));
    if (run !== undefined) await runner.untilWritten(run);
    const begun = performance.now();
    const left = await database.pending();
    const sorted = await readers(database, documents, READ_MS);
    if (run !== undefined) {
      const done = left - (await database.pending());
      const rate = (done * 1_000) / (performance.now() - begun);
      figure(`${what}, ${beside}: the run`, rate, 'documents/s');
      await runner.cancelIfRunning(run);
    }
    figure(`${what}, ${beside}: p50`, quantile(sorted, 0.5), 'ms');
    const p99 = quantile(sorted, 0.99);
    figure(`${what}, ${beside}: p99`, p99, 'ms');
    return p99;
  };
  const alone = await felt('alone');
  await felt('beside a run as fast as it goes', {});
  const throttled = await felt('beside a throttled run', THROTTLED);
  const share = `${what}, beside a throttled run: p99 as a share of that alone`;
  figure(share, (100 * throttled) / alone, '%');
  figure(share, AT_MOST, '%', 'limit');
}

/** Resident at most, in a process that does nothing else: it must not grow with the documents. */
export async function memory(
  { name, folder, database, figure }: Bed,
  documents: number,
): Promise<void> {
  const what = about(name, documents, 1);
  await database.load(documents, 1);
  const runner = await openRunner(join(folder, `memory-${documents}`), name, database.url);
  try {
    figure(`${what}: before, resident at most`, runner.peak(), 'MB');
    for (const action of ['plan', 'execute', 'revert']) {
      const { tookMs } = await runner.run('orders', action);
      figure(`${what}: ${action}, resident at most`, runner.peak(), 'MB');
      figure(`${what}: ${action}, once`, tookMs, 'ms');
    }
  } finally {
    await runner.stop();
  }
}
