import { createPublicKey, verify } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { memoryBus, MemoryFile } from '@tidegate/bus/testing';
import { type OutgoingMessage, SecurityEventRecorded, type WireRecord } from '@tidegate/contracts';
import { eventually } from '@tidegate/kernel/testing';
import { startTestService, type TestService } from '@tidegate/platform/testing';
import { memoryStore } from '@tidegate/store/testing';
import { auditSink } from './index.ts';
import type { AuditRecord } from './record/line.ts';
import type { InclusionProof } from './seal/proofs.handler.ts';
import { type Seal, signedBytes } from './seal/seal.ts';
import { leafHash } from './tree/merkle.ts';
import { verifyConsistency, verifyInclusion } from './tree/proof.ts';

interface SealedNow {
  readonly seal: Seal;
  readonly archived: number;
  readonly waiting: number;
}
interface Listed {
  readonly items: readonly AuditRecord[];
  readonly next?: string;
}

const clock = { now: () => Date.now() };
let counted = 0;
const ids = { next: () => `id-${(counted += 1)}` };

let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'audit-sink-'));
});
afterEach(() => rm(data, { recursive: true }));

const start = (options: Parameters<typeof startTestService>[1] = {}) =>
  startTestService(auditSink, { ...options, env: { DATA_DIR: data, ...options.env } });

const event = (n: number, over: Partial<OutgoingMessage['metadata']> = {}): OutgoingMessage => ({
  type: SecurityEventRecorded.type,
  topic: 'audit.events',
  key: `service-${n % 5}`,
  data: { service: `service-${n % 5}`, event: 'auth-failed', message: `No ${n}`, details: {} },
  metadata: {
    id: `event-${n}`,
    source: 'specs',
    at: 1_790_000_000_000 + n,
    actor: n % 2 === 0 ? 'ada' : 'bo',
    correlationId: `case-${n % 3}`,
    ...over,
  },
});
const events = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => event(from + i));

const sealNow = async (service: TestService): Promise<SealedNow> => {
  await eventually(() => isWriting(service));
  const { status, body } = await service.post<SealedNow>('/v1/seals?drainMs=5000');
  expect([status, body.waiting]).toEqual([200, 0]);
  return body;
};

const isWriting = async ({ context }: TestService): Promise<boolean> =>
  (await context.bus.lag()).some(({ group }) => group === 'audit-sink');

async function everything(service: TestService): Promise<AuditRecord[]> {
  const found: AuditRecord[] = [];
  let next: string | undefined;
  do {
    const { body } = await service.get<Listed>(
      `/v1/records?limit=7${next === undefined ? '' : `&after=${next}`}`,
    );
    found.push(...body.items);
    next = body.next;
  } while (next !== undefined);
  return found.reverse();
}

describe('the record', () => {
  it('has one record per origin, of what nobody can decode too, over restarts and redelivery', async () => {
    const file = new MemoryFile();
    const store = memoryStore({ clock });
    const garbage: WireRecord = { key: null, headers: {}, value: Buffer.from([0xc3, 0x28, 0xff]) };
    const bus = memoryBus({ clock, ids, file });
    const first = await start({ bus, store });
    await bus.publish(events(0, 40));
    await bus.log.append([{ topic: 'signals', partition: 2, record: garbage }]);
    expect((await sealNow(first)).seal.size).toBe(41);
    await first.stop();
    await bus.publish(events(40, 60));
    await bus.close();

    const again = memoryBus({ clock, ids, file });
    for (let partition = 0; partition < 6; partition += 1) {
      const place = { group: 'audit-sink', topic: 'audit.events', partition };
      again.log.move(place, 0);
      expect(again.log.position(place)).toBe(0); // all of it comes again
    }
    const second = await start({ bus: again, store });
    await again.publish(events(60, 70));
    expect((await sealNow(second)).seal.size).toBe(71);
    const records = await everything(second);
    expect(records.map(({ manifest }) => manifest.position)).toEqual(records.map((_, i) => i));
    const named = records.flatMap(({ manifest }) => manifest.id ?? []);
    expect(named.toSorted()).toEqual(
      events(0, 70)
        .map(({ metadata }) => metadata.id)
        .toSorted(),
    );
    expect(records.find(({ manifest }) => manifest.id === null)).toMatchObject({
      manifest: { type: null, origin: { topic: 'signals', partition: 2, offset: '0' } },
      content: { value: { base64: 'wyj/' } },
    });
    await again.close();
  });

  it('is searched by type, correlation id, person and time, newest first, page by page', async () => {
    const service = await start();
    await service.context.bus.publish(events(0, 30));
    await sealNow(service);
    const found = async (query: string) =>
      (await service.get<Listed>(`/v1/records?limit=500&${query}`)).body.items.map(
        ({ manifest }) => manifest,
      );
    expect(await found('correlationId=case-1')).toHaveLength(10);
    expect((await found('who=ada&correlationId=case-0')).every(({ who }) => who === 'ada')).toBe(
      true,
    );
    expect(await found(`type=${SecurityEventRecorded.wire}`)).toHaveLength(30);
    expect(await found('type=tidegate.audit.*')).toHaveLength(30);
    expect(await found('type=tidegate.flag.*')).toEqual([]);
    expect(await found('until=2020-01-01T00:00:00Z')).toEqual([]);
    expect(await found('since=2020-01-01T00:00:00Z')).toHaveLength(30);
    expect(await everything(service)).toHaveLength(30);
    expect((await service.get('/v1/records?whoo=ada')).status).toBe(400);
    expect((await service.get('/v1/records?since=yesterday')).status).toBe(400);
    expect((await service.get('/v1/records/17')).body).toMatchObject({
      manifest: { position: 17 },
    });
    expect((await service.get('/v1/records/30')).status).toBe(404);
  });

  it('takes events of other systems, each once, and says who sent them', async () => {
    const service = await start();
    const body = { service: 'gateway', event: 'rate-limited', message: 'Too many.' };
    const sender = service.as('sdk', 'test');
    const key = { 'idempotency-key': 'breach-1' };
    const answer = await sender.post('/v1/events', body, key);
    expect([answer.status, answer.body]).toEqual([202, { id: 'breach-1' }]);
    expect((await sender.post('/v1/events', { service: 'gateway' })).status).toBe(400);
    expect((await service.anonymous().post('/v1/events', body)).status).toBe(401);
    await sealNow(service);
    const [record] = (await service.get<Listed>('/v1/records?who=sdk@test')).body.items;
    expect(record?.manifest).toMatchObject({ id: 'breach-1', source: 'http:sdk@test' });
  });

  it('is for those who may see every environment', async () => {
    const service = await start();
    expect((await service.as('viewer').get('/v1/records')).status).toBe(200);
    expect((await service.as('viewer', 'test').get('/v1/records')).status).toBe(403);
    expect((await service.as('viewer').post('/v1/seals')).status).toBe(403);
  });
});

describe('a seal', () => {
  it('is signed, published and given back with proofs that hold', async () => {
    const service = await start();
    await service.context.bus.publish(events(0, 5));
    const older = (await sealNow(service)).seal;
    await service.context.bus.publish(events(5, 13));
    const { seal } = await sealNow(service);
    expect(seal).toMatchObject({ log: 'audit', size: 13 });

    const [keyFile] = await readdir(join(data, 'audit/archive/keys'));
    const pem = await readFile(join(data, 'audit/archive/keys', keyFile ?? ''));
    const signature = Buffer.from(seal.signature, 'base64');
    expect(verify(null, signedBytes(seal), createPublicKey(pem), signature)).toBe(true);
    expect(keyFile).toBe(`${seal.keyId.replace(':', '-')}.pem`);
    expect(service.published('audit.seals').map(({ data }) => data)).toEqual([older, seal]);
    const { body } = await service.get<{ items: Seal[] }>('/v1/seals');
    expect(body.items).toEqual([seal, older]);

    const bytes = (text: string) => Buffer.from(text, 'base64');
    const head = (of: Seal) => ({ size: of.size, root: bytes(of.root) });
    const inclusion = (await service.get<InclusionProof>('/v1/records/6/proof')).body;
    const claim = { ...head(inclusion.seal), leaf: leafHash(inclusion.leaf), index: 6 };
    expect(verifyInclusion(claim, inclusion.path.map(bytes))).toBe(true);
    const { path } = (await service.get<{ path: string[] }>('/v1/seals/13/proof?since=5')).body;
    expect(verifyConsistency(head(older), head(seal), path.map(bytes))).toBe(true);
    expect((await service.get('/v1/seals/13/proof?since=6')).status).toBe(404);
  });

  it('does not prove a record that came after it', async () => {
    const service = await start();
    await service.context.bus.publish(events(0, 2));
    await sealNow(service);
    await service.context.bus.publish(events(2, 3));
    await eventually(async () => (await service.get('/v1/records/2')).status === 200);
    expect((await service.get('/v1/records/2/proof')).body).toMatchObject({
      status: 409,
      code: 'RECORD_NOT_SEALED',
    });
  });

  it('is the same one again while nothing has come', async () => {
    const service = await start();
    await service.context.bus.publish(events(0, 2));
    const first = await sealNow(service);
    expect(await sealNow(service)).toEqual(first);
    expect(service.published('audit.seals')).toHaveLength(1);
  });

  it('comes by itself after enough records, after enough time, and when the service stops', async () => {
    const byCount = await start({ env: { AUDIT_SEAL_EVERY_RECORDS: '3' } });
    await byCount.context.bus.publish(events(0, 3));
    await eventually(() => byCount.published('audit.seals').length === 1);
    await byCount.stop();
    await rm(join(data, 'audit'), { recursive: true });

    const byTime = await start({ env: { AUDIT_SEAL_EVERY_MS: '1' } });
    await byTime.context.bus.publish(events(0, 1));
    await eventually(() => byTime.published('audit.seals').length === 1);
    await byTime.context.bus.publish(events(1, 2));
    await eventually(async () => (await byTime.get('/v1/records/1')).status === 200);
    await byTime.stop();
    expect(await readdir(join(data, 'audit/archive/seals'))).toContain('000000000000002.json');
  });

  it('is signed by the same key after a restart, which nobody else may read', async () => {
    const store = memoryStore({ clock });
    const file = new MemoryFile();
    const keyIds: string[] = [];
    for (const n of [0, 1]) {
      const bus = memoryBus({ clock, ids, file });
      const service = await start({ store, bus });
      await service.context.bus.publish([event(n)]);
      keyIds.push((await sealNow(service)).seal.keyId);
      await service.stop();
      await bus.close();
    }
    expect(keyIds[1]).toBe(keyIds[0]);
    expect((await stat(join(data, 'audit/signing-key.pem'))).mode & 0o777).toBe(0o600);
  });

  it('is not signed by a key that is none: the service does not start', async () => {
    const file = join(data, 'key.pem');
    await writeFile(file, 'no key');
    await expect(start({ env: { AUDIT_SIGNING_KEY_FILE: file } })).rejects.toMatchObject({
      code: 'AUDIT_KEY_INVALID',
    });
  });
});

describe('the archive', () => {
  const archived = async () =>
    (await readdir(join(data, 'audit/archive/seals')))
      .filter((name) => name.endsWith('.json'))
      .sort();

  it('is made again, the same, when it is lost', async () => {
    const [store, file] = [memoryStore({ clock }), new MemoryFile()];
    const bus = memoryBus({ clock, ids, file });
    const service = await start({ store, bus });
    for (const n of [0, 1, 2]) {
      await bus.publish([event(n)]);
      await sealNow(service);
    }
    const seals = await archived();
    await service.stop();
    await bus.close();
    await rm(join(data, 'audit/archive'), { recursive: true });
    await start({ store, bus: memoryBus({ clock, ids, file }) });
    await eventually(async () => (await archived()).length === 3);
    expect(await archived()).toEqual(seals);
  });

  it('of another log is not gone on with', async () => {
    const first = await start();
    await first.context.bus.publish(events(0, 3));
    await sealNow(first);
    await first.stop();
    await expect(start()).rejects.toMatchObject({
      code: 'AUDIT_STORE_BEHIND',
      message: expect.stringContaining('If the archive belongs to another log, keep it'),
    });
    const store = memoryStore({ clock });
    const bus = memoryBus({ clock, ids });
    const longer = await start({ store, bus, env: { AUDIT_ARCHIVE_DIR: join(data, 'longer') } });
    await bus.publish(events(100, 110));
    await sealNow(longer);
    await longer.stop();
    const other = await start({ store, bus });
    await bus.publish(events(110, 111));
    await eventually(async () => (await other.get('/v1/records/10')).status === 200);
    expect((await other.post('/v1/seals')).body).toMatchObject({
      status: 409,
      code: 'AUDIT_ARCHIVE_DIFFERS',
    });
    expect(await archived()).toEqual(['000000000000003.json']);
  });
});
