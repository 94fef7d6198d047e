import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bench } from './main.ts';
import { figures } from './migration.bed.ts';
import { memory, slowdown } from './migration.cost.ts';
import { openMongo } from './migration.mongo.ts';
import { openPostgres } from './migration.postgres.ts';
import { rates } from './migration.rates.ts';
import { openRunner } from './migration.runner.ts';
import { openSqlite } from './migration.sqlite.ts';

const OPENERS = { mongo: openMongo, postgres: openPostgres, sqlite: openSqlite } as const;
type Name = keyof typeof OPENERS;

/** SIZES: of how many KB documents are; TARGETS: which databases. */
const SIZES = (process.env['SIZES'] ?? '1,10').split(',').map(Number);
const TARGETS = (process.env['TARGETS'] ?? Object.keys(OPENERS).join(',')).split(',') as Name[];
/** DOCS: how many documents. Many enough that what a run does once does not count; FerretDB writes a thousand a second. */
const documentsIn = (name: Name): number =>
  Number(process.env['DOCS'] ?? (name === 'mongo' ? 10_000 : 50_000));
/** FULL=1: memory also for so many documents as MANY says. On a FerretDB a million take an hour. */
const FULL = process.env['FULL'] === '1';
const MANY = Number(process.env['MANY'] ?? 1_000_000);

/** Beside a bare loop of bulk writes on the same server, and beside migrate-mongo. */
const bench: Bench = async (report) => {
  for (const name of TARGETS) {
    const folder = await mkdtemp(join(tmpdir(), 'tidegate-bench-'));
    const database = await OPENERS[name]();
    const runner = await openRunner(folder, name, database.url);
    try {
      const documents = documentsIn(name);
      const bed = { name, documents, folder, database, runner, figure: figures(report) };
      for (const kilobytes of SIZES) await rates(bed, kilobytes);
      await slowdown(bed);
      await memory(bed, documents);
      if (FULL) await memory(bed, MANY);
    } finally {
      await runner.stop();
      await database.close();
      await rm(folder, { recursive: true });
    }
  }
};
export default bench;
