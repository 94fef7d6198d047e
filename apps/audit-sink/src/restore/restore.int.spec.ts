import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type MemoryBus, memoryBus } from '@tidegate/bus/testing';
import { type OutgoingMessage, SecurityEventRecorded } from '@tidegate/contracts';
import { eventually } from '@tidegate/kernel/testing';
import { randomIds, systemClock } from '@tidegate/platform';
import { startTestService, type TestService } from '@tidegate/platform/testing';
import { MemoryDisk, memoryStore } from '@tidegate/store/testing';
import { auditSink } from '../index.ts';
import type { AuditRecord } from '../record/line.ts';

const event = (n: number): OutgoingMessage => ({
  type: SecurityEventRecorded.type,
  topic: 'audit.events',
  key: `service-${n % 5}`,
  data: { service: `service-${n % 5}`, event: 'auth-failed', message: `No ${n}`, details: {} },
  metadata: {
    id: `event-${n}`,
    source: 'specs',
    at: 1_790_000_000_000 + n,
    actor: 'ada',
    correlationId: 'case',
  },
});
const events = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => event(from + i));

let data: string;
let bus: MemoryBus;
let disk: MemoryDisk;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'audit-restore-'));
  bus = memoryBus({ clock: systemClock, ids: randomIds });
  disk = new MemoryDisk();
});
afterEach(() => rm(data, { recursive: true }));

const start = (folder = data) =>
  startTestService(auditSink, {
    bus,
    store: memoryStore({ clock: systemClock, disk }),
    env: { DATA_DIR: folder },
  });
const archive = () => join(data, 'audit', 'archive');
const backUp = () => structuredClone({ documents: disk.documents, entries: disk.entries });
const putBack = (backup: object, epoch: number) =>
  void Object.assign(disk, structuredClone(backup), { epoch });

async function record(service: TestService, from: number, to: number): Promise<void> {
  await eventually(async () => (await bus.lag()).some(({ group }) => group === 'audit-sink'));
  await bus.publish(events(from, to));
  const { status, body } = await service.post<{ waiting: number }>('/v1/seals?drainMs=5000');
  expect([status, body.waiting]).toEqual([200, 0]);
}

const found = async (service: TestService): Promise<readonly AuditRecord[]> =>
  (await service.get<{ items: AuditRecord[] }>('/v1/records?limit=500')).body.items;
const ids = (records: readonly AuditRecord[]) =>
  records.map(({ manifest }) => String(manifest.id)).toSorted();

/** Sealed at 60, where the backup is made, at 130 and at 200. */
async function restored(epoch: number) {
  const service = await start();
  await record(service, 0, 60);
  const backup = backUp();
  await record(service, 60, 130);
  await record(service, 130, 200);
  const records = await found(service);
  const seals = (await service.get('/v1/seals')).body;
  await service.stop();
  putBack(backup, epoch);
  return { records, seals };
}

describe('the audit log after an older backup was put back', () => {
  it('is not written to before the epoch is raised', async () => {
    await restored(1);
    await expect(start()).rejects.toMatchObject({
      code: 'AUDIT_STORE_BEHIND',
      message: expect.stringContaining('tidegate store restored'),
    });
  });

  it('is completed from the archive, and goes on with what comes', async () => {
    const { records, seals } = await restored(2);
    const service = await start();
    expect(await found(service)).toEqual(records);
    expect((await service.get('/v1/seals')).body).toEqual(seals);
    await record(service, 200, 230);
    const after = await found(service);
    expect(after).toHaveLength(230);
    expect(ids(after)).toEqual(ids(events(0, 230).map(({ metadata }) => manifestOf(metadata.id))));
    const first = after.at(-1)?.manifest.position;
    expect((await service.get(`/v1/records/${first}/proof`)).status).toBe(200);
    await service.stop();
    expect(await found(await start())).toEqual(after);
  });

  it('takes nothing from an archive that does not prove itself', async () => {
    await restored(2);
    const folder = join(archive(), 'segments');
    const name = (await readdir(folder)).sort()[2]!;
    const text = gunzipSync(await readFile(join(folder, name))).toString();
    await rm(join(folder, name));
    await writeFile(join(folder, name), gzipSync(text.replace('No 150', 'No 151')));
    await expect(start()).rejects.toMatchObject({
      code: 'AUDIT_ARCHIVE_DIFFERS',
      message: expect.stringMatching(/record at \d+ was changed.*Nothing was taken/),
    });
    await expect(start()).rejects.toMatchObject({ code: 'AUDIT_ARCHIVE_DIFFERS' });
  });

  it('takes nothing from the archive of another log', async () => {
    const { records } = await restored(2);
    const elsewhere = await mkdtemp(join(tmpdir(), 'audit-other-'));
    const other = { bus, disk };
    bus = memoryBus({ clock: systemClock, ids: randomIds });
    disk = new MemoryDisk();
    const service = await start(elsewhere);
    await record(service, 0, 60);
    await record(service, 60, 250);
    await service.stop();
    ({ bus, disk } = other);
    await expect(start(elsewhere)).rejects.toMatchObject({ code: 'AUDIT_ARCHIVE_DIFFERS' });
    await rm(elsewhere, { recursive: true });
    expect(await found(await start())).toEqual(records);
  });

  it('goes on where it ends, not where its group had got to, if the archive was put back as well', async () => {
    const service = await start();
    await record(service, 0, 60);
    const backup = backUp();
    const copy = await mkdtemp(join(tmpdir(), 'audit-copy-'));
    await cp(join(data, 'audit'), join(copy, 'audit'), { recursive: true });
    await record(service, 60, 130);
    await service.stop();
    putBack(backup, 1);
    const again = await start(copy);
    await record(again, 130, 140);
    const records = await found(again);
    expect(records).toHaveLength(140);
    expect(records.filter(({ manifest }) => manifest.kind === 'gap')).toEqual([]);
    await again.stop();
    await rm(copy, { recursive: true });
  });
});

const manifestOf = (id: string) => ({ manifest: { id } }) as AuditRecord;
