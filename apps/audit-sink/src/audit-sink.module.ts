import { type DynamicModule, Module } from '@nestjs/common';
import { topicDefinition, topics } from '@tidegate/contracts';
import type { ServiceContext } from '@tidegate/platform';
import { restoresOf } from '@tidegate/store';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { FolderArchive } from './archive/archive.file.ts';
import type { Config } from './config.ts';
import { EventController } from './event/event.controller.ts';
import { LogAppender } from './log/append.handler.ts';
import { LogReader } from './log/read.handler.ts';
import type { Stored } from './log/stored.ts';
import { LEASE_MS, LogWriter } from './log/writer.handler.ts';
import { makeUpForRestore } from './restore/restore.handler.ts';
import { RecordController } from './record/record.controller.ts';
import { Proofs } from './seal/proofs.handler.ts';
import { SealController } from './seal/seal.controller.ts';
import { Sealer } from './seal/seal.handler.ts';
import { type Seal, type Sealed } from './seal/seal.ts';
import { openSigningKey, readSigningKey } from './seal/signing-key.file.ts';
import { LOG_READER, LOG_WRITER, PROOFS, SEAL_HISTORY, SEALER } from './tokens.ts';

@Module({})
class AuditSinkModule {}

const auditedTopics = Object.keys(topics).filter((topic) => topicDefinition(topic)?.audited);

const RENEW_MS = LEASE_MS / 3;
const LOOK_AT_SEAL_MS = 1_000;

export async function auditSinkModule(
  context: ServiceContext,
  config: Config,
): Promise<DynamicModule> {
  const { bus, clock, execute, faults, ids, instance, log, name: service, store } = context;
  const { archive, key } = await openArchive(config);
  const stored = store.projection<Stored>('audit-log');
  const history = store.projection<Seal>('audit-seals');
  const reader = new LogReader(stored);
  const appender = new LogAppender({
    stored,
    clock,
    newSalt: randomSalts(),
    onGaps: (gaps) => log.error({ gaps }, 'records were gone before they could be recorded'),
    faults,
  });
  const writer = new LogWriter({
    group: service,
    instance,
    topics: auditedTopics,
    bus,
    leases: store.leases,
    appender,
    clock,
  });
  const copies = { archive, appender, reader };
  const sealer = new Sealer({
    ...copies,
    service,
    execute,
    documents: store.documents<Sealed>({ name: 'audit-seal', schemaVersion: 1, index: () => ({}) }),
    history,
    key,
    clock,
    ids,
    policy: { everyRecords: config.AUDIT_SEAL_EVERY_RECORDS, everyMs: config.AUDIT_SEAL_EVERY_MS },
  });
  await makeUpForRestore({
    ...copies,
    sealer,
    restores: restoresOf(store, service),
    leases: store.leases,
    group: service,
    instance,
    log,
  });
  context.onPage(() => 'Audit records are late; they are not lost while their topics keep them.');
  run(context, writer, sealer);
  return {
    module: AuditSinkModule,
    controllers: [RecordController, SealController, EventController],
    providers: [
      { provide: LOG_READER, useValue: reader },
      { provide: LOG_WRITER, useValue: writer },
      { provide: SEALER, useValue: sealer },
      { provide: SEAL_HISTORY, useValue: history },
      { provide: PROOFS, useValue: new Proofs(reader, history) },
    ],
  };
}

/** With the key that seals are signed with, its public half in the archive. */
async function openArchive(config: Config) {
  const folder = join(config.DATA_DIR, 'audit');
  const key = await (config.AUDIT_SIGNING_KEY_FILE === undefined
    ? openSigningKey(join(folder, 'signing-key.pem'))
    : readSigningKey(config.AUDIT_SIGNING_KEY_FILE));
  const archive = await FolderArchive.open(config.AUDIT_ARCHIVE_DIR ?? join(folder, 'archive'));
  await archive.addKey(key.id, key.publicPem);
  return { archive, key };
}

/** 16 random bytes each time, in hexadecimal; drawn many at once, since each draw costs more than its bytes. */
function randomSalts(): () => string {
  let drawn = '';
  return () => {
    if (drawn === '') drawn = randomBytes(16_384).toString('hex');
    const salt = drawn.slice(0, 32);
    drawn = drawn.slice(32);
    return salt;
  };
}

function run(context: ServiceContext, writer: LogWriter, sealer: Sealer): void {
  context.loop('audit.write', RENEW_MS, () => writer.renew());
  context.loop('audit.seal', LOOK_AT_SEAL_MS, async () => {
    if (writer.isWriting) await sealer.sealIfDue();
  });
  context.health('auditLog', () => ({ writing: writer.isWriting }));
  context.onStop(async () => {
    const wasWriting = writer.isWriting;
    await writer.pause();
    if (wasWriting)
      await sealer.seal().catch((err: unknown) => {
        context.log.error({ err }, 'the log was not sealed at the stop; the next start will do it');
      });
    await writer.release();
  });
}
