import { hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';
import { auditSink } from '@tidegate/audit-sink';
import { openEmbeddedBus } from '@tidegate/bus';
import { bytesOf, encode, type OutgoingMessage, SecurityEventRecorded } from '@tidegate/contracts';
import { startService } from '@tidegate/platform';
import { openSqliteStore } from '@tidegate/store';
import { verifyArchive } from '../../apps/cli/dist/audit/verify.js';
import type { Bench } from './main.ts';

const RECORDS = 200_000;
const RECORD_BYTES = 640;
const PUBLISHED_AT_ONCE = 1_000;
const VERIFY_ROUNDS = 5;
const KEY = 'tg_admin_key-for-the-bench';

const clock = { now: Date.now };

function message(n: number): OutgoingMessage {
  const padded = (length: number): OutgoingMessage => ({
    type: SecurityEventRecorded.type,
    topic: SecurityEventRecorded.topic,
    key: `service-${n % 50}`,
    data: {
      service: `service-${n % 50}`,
      event: 'auth-failed',
      message: `No ${String(n).padStart(length, 'a key that is not known ')}`,
      details: {},
    },
    metadata: {
      id: `m-${String(n).padStart(9, '0')}`,
      source: 'bench',
      at: 1_790_000_000_000 + n,
      actor: 'bench',
      correlationId: `c-${n % 1_000}`,
    },
  });
  return padded(RECORD_BYTES - bytesOf(encode(padded(0))) + String(n).length);
}

/** From a bus that is full: read, made into records, durable in the log. Then sealed and archived. */
async function fillAndArchive(folder: string, report: Parameters<Bench>[0]): Promise<void> {
  let made = 0;
  const ids = { next: () => `b-${(made += 1)}` };
  const bus = await openEmbeddedBus({ file: join(folder, 'bus.db'), clock, ids, source: 'bench' });
  const store = await openSqliteStore({ file: join(folder, 'store.db'), clock });
  for (let n = 0; n < RECORDS; n += PUBLISHED_AT_ONCE)
    await bus.publish(Array.from({ length: PUBLISHED_AT_ONCE }, (_, i) => message(n + i)));
  const { url, stop } = await startService(auditSink, {
    port: 0,
    env: {
      ADMIN_API_KEY: KEY,
      DATA_DIR: folder,
      LOG_LEVEL: 'error',
      AUDIT_SEAL_EVERY_RECORDS: String(10 * RECORDS),
    },
    shared: { bus, store, clock },
  });
  const began = performance.now();
  for (;;) {
    const lags = (await bus.lag()).filter(({ group }) => group === 'audit-sink');
    if (lags.length > 0 && lags.every(({ records }) => records === 0)) break;
    await setTimeout(10);
  }
  const ingested = performance.now();
  report(row('ingest', 'tidegate', RECORDS / (ingested - began)));
  await fetch(`${url}/v1/seals`, { method: 'POST', headers: { authorization: `Bearer ${KEY}` } });
  report(row('seal and archive', 'tidegate', RECORDS / (performance.now() - ingested)));
  await stop();
  await bus.close();
  await store.close();
}

/** What a verifier cannot do without: decompress, parse, hash. */
async function bareLoop(archive: string): Promise<void> {
  const folder = join(archive, 'segments');
  for (const name of (await readdir(folder)).sort()) {
    let begun = Buffer.alloc(0);
    const options = { chunkSize: 256 * 1024 };
    for await (const chunk of createReadStream(join(folder, name)).pipe(createGunzip(options))) {
      const text = Buffer.concat([begun, chunk as Buffer]);
      let from = 0;
      for (let end = text.indexOf(10); end !== -1; end = text.indexOf(10, from)) {
        const line = text.subarray(from, end);
        JSON.parse(line.toString());
        hash('sha256', line, 'buffer');
        from = end + 1;
      }
      begun = text.subarray(from);
    }
  }
}

const bench: Bench = async (report) => {
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-bench-'));
  const archive = join(folder, 'audit/archive');
  await fillAndArchive(folder, report);
  const rates = { tidegate: [] as number[], limit: [] as number[] };
  for (let count = 0; count < VERIFY_ROUNDS; count += 1) {
    let began = performance.now();
    const { proven, records } = await verifyArchive(archive);
    if (!proven || records !== RECORDS) throw new Error('The archive is not proven.');
    rates.tidegate.push(RECORDS / (performance.now() - began));
    began = performance.now();
    await bareLoop(archive);
    rates.limit.push(RECORDS / (performance.now() - began));
  }
  for (const [subject, found] of Object.entries(rates))
    report(row('verify', subject, median(found)));
  await rm(folder, { recursive: true });
};
export default bench;

const row = (what: string, subject: string, perMs: number) => ({
  case: `${what}, ${RECORD_BYTES} bytes`,
  subject,
  value: Math.round(perMs * 1_000),
  unit: 'records/s',
});

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
