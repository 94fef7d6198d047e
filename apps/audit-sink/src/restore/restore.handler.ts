import { AppError } from '@tidegate/kernel';
import type { Leases, Restores } from '@tidegate/store';
import { setTimeout } from 'node:timers/promises';
import type { Archive } from '../archive/archive.port.ts';
import type { AuditErrorCode } from '../errors.ts';
import type { LogAppender } from '../log/append.handler.ts';
import type { LogReader } from '../log/read.handler.ts';
import { LEASE_MS } from '../log/writer.handler.ts';
import type { Sealer } from '../seal/seal.handler.ts';
import { verifiedRanges } from './verified-ranges.handler.ts';

export interface RestoreOptions {
  readonly archive: Archive;
  readonly appender: LogAppender;
  readonly reader: LogReader;
  readonly sealer: Pick<Sealer, 'sealed' | 'adopt'>;
  readonly restores: Restores;
  readonly leases: Leases;
  /** Of the writer's lease, and who asks for it. */
  readonly group: string;
  readonly instance: string;
  readonly log: { warn(fields: object, sentence: string): void };
}

const LOOK_AGAIN_MS = 500;
const MOST_LINES = 1_000;
const MOST_CHARACTERS = 500_000;

/**
 * After an older backup was put back, the archive is the newer copy of the log: what the log lacks is taken from it,
 * once all of it is proven by the archive's own seals. What was never sealed still stands in the topics, and is
 * recorded again from where the log then ends. Thrown AUDIT_STORE_BEHIND while nobody has raised the store's epoch;
 * AUDIT_ARCHIVE_DIFFERS.
 */
export async function makeUpForRestore(options: RestoreOptions): Promise<void> {
  const { archive, restores } = options;
  // In this order: a seal stands in the store before it is archived.
  const archived = (await archive.newest())?.size ?? 0;
  const stored = await sealedAndStored(options);
  const isRestored = (await restores.unsettledSince()) !== undefined;
  if (archived > stored && !isRestored) throw storeBehind(archived, stored);
  if (archived > stored) await importUnderLease(options, { archived, stored });
  if (isRestored) await restores.settle();
}

/** How far the stored log is sealed; a dump of a running database may have a seal before all that it covers. */
async function sealedAndStored({ reader, sealer }: RestoreOptions): Promise<number> {
  return Math.min((await sealer.sealed())?.size ?? 0, await reader.size());
}

async function importUnderLease(
  options: RestoreOptions,
  sizes: { readonly archived: number; readonly stored: number },
): Promise<void> {
  const { group, instance, leases, log, restores } = options;
  const keep = async (): Promise<boolean> =>
    (await leases.claim(group, instance, LEASE_MS)) !== undefined;
  while (!(await keep())) {
    await setTimeout(LOOK_AGAIN_MS);
    if ((await restores.unsettledSince()) === undefined) return; // another replica has done it
  }
  log.warn(
    sizes,
    'an older backup of the store was put back: the log is completed from the archive',
  );
  try {
    await importAll(options, async () => {
      if (!(await keep())) throw leaseLost();
    });
  } catch (error) {
    await leases.release(group, instance); // whoever starts next need not wait
    throw error;
  }
}

/** Twice: nothing is taken from an archive of which a part is not proven. */
async function importAll(options: RestoreOptions, keep: () => Promise<void>): Promise<void> {
  const { appender, sealer } = options;
  const { frontier } = await appender.state();
  const size = await sealedAndStored(options);
  for await (const { lines } of verifiedRanges(options, size, frontier))
    for await (const _ of lines) await keep();
  for await (const { seal, from, lines } of verifiedRanges(options, size, frontier)) {
    let position = from;
    for await (const some of lines) {
      const lacking = some.slice(Math.max(0, frontier.size - position));
      position += some.length;
      for (const chunk of chunksOf(lacking)) {
        await keep();
        await appender.adopt(chunk);
      }
    }
    await sealer.adopt(seal);
  }
}

/** As many lines at a time as fit into one entry of the store. */
function chunksOf(lines: readonly string[]): readonly (readonly string[])[] {
  const chunks: string[][] = [];
  let characters = Infinity;
  for (const line of lines) {
    const last = chunks.at(-1);
    if (last && last.length < MOST_LINES && characters + line.length <= MOST_CHARACTERS) {
      last.push(line);
      characters += line.length;
    } else {
      chunks.push([line]);
      characters = line.length;
    }
  }
  return chunks;
}

const storeBehind = (archived: number, stored: number): AppError<AuditErrorCode> =>
  new AppError(
    'AUDIT_STORE_BEHIND',
    `The archive is sealed up to ${archived} records, the stored log only up to ${stored}. An older backup of the store ` +
      'was put back: stop every service, run "tidegate store restored", which raises its epoch, and start again. ' +
      'If the archive belongs to another log, keep it, and give AUDIT_ARCHIVE_DIR a new folder.',
    { data: { archived, stored } },
  );

const leaseLost = (): AppError<AuditErrorCode> =>
  new AppError(
    'AUDIT_NOT_WRITING',
    'Another replica completes the audit log from the archive now.',
    {
      retryable: true,
    },
  );
