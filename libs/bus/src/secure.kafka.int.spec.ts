import { afterAll, afterEach, describe, expect, it, jest } from '@jest/globals';
import { SecurityEventRecorded } from '@tidegate/contracts';
import { isRejection } from '@tidegate/kernel';
import { eventually } from '@tidegate/kernel/testing';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { freePort } from '../../../test/servers/process.ts';
import { openServerIfAny, type Server } from '../../../test/servers/servers.ts';
import { openKafkaBus } from './bus.kafka.ts';
import type { Bus, Delivery } from './bus.port.ts';
import { kafkaUrl } from './kafka-url.ts';

jest.setTimeout(30_000);
const folder = mkdtempSync(path.join(tmpdir(), 'tidegate-kafka-'));
const inFolder = (name: string) => path.join(folder, name);

/** A certificate that only itself vouches for, as the broker reads it. */
function certify(): void {
  const subject = [
    '-subj',
    '/CN=localhost',
    '-addext',
    'subjectAltName=IP:127.0.0.1,DNS:localhost',
  ];
  const files = ['-keyout', inFolder('key.pem'), '-out', inFolder('ca.pem')];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, ...files],
    { stdio: 'pipe' },
  );
}

certify();
const [secure, plain, controller] = [await freePort(), await freePort(), await freePort()];
const login = 'org.apache.kafka.common.security.plain.PlainLoginModule';
const oneLine = (file: string) =>
  readFileSync(inFolder(file), 'utf8').trim().replaceAll('\n', '\\n');
const server: Server | undefined = await openServerIfAny('kafka', {
  own: true,
  port: plain,
  properties: {
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: `PLAINTEXT://127.0.0.1:${plain},CONTROLLER://127.0.0.1:${controller},SECURE://127.0.0.1:${secure}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${plain},SECURE://127.0.0.1:${secure}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL',
    'sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.secure.sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.secure.plain.sasl.jaas.config': `${login} required user_tidegate="s3:cr@t";`,
    'listener.name.secure.ssl.keystore.type': 'PEM',
    'listener.name.secure.ssl.keystore.certificate.chain': oneLine('ca.pem'),
    'listener.name.secure.ssl.keystore.key': oneLine('key.pem'),
  },
});

const closing: Bus[] = [];
afterEach(async () => {
  for (const bus of closing.splice(0)) await bus.close();
});

async function open(userinfo: string, ca: string): Promise<Bus> {
  const address = kafkaUrl(
    `kafka://${userinfo}@127.0.0.1:${secure}?tls=true&sasl=plain&replication=1${ca}`,
  );
  if (isRejection(address)) throw new Error(address.message);
  const bus = await openKafkaBus({
    ...address,
    clientId: 'spec',
    prefix: `s${randomUUID()}.`,
    clock: { now: Date.now },
    ids: { next: randomUUID },
    random: { next: Math.random },
    source: 'spec',
    budgets: { publish: 3_000, ask: 3_000, fetch: 100, join: 500, outage: 500 },
  });
  closing.push(bus);
  return bus;
}

const { topic, type } = SecurityEventRecorded;
const event = {
  topic,
  type,
  key: 'a',
  data: { service: 'a', event: 'counted', message: '1', details: {} },
  metadata: { id: 'm-1', source: 'spec', at: 1_000, actor: 'spec', correlationId: 'c' },
};

const handle = async (): Promise<void> => undefined;
/** Also what hides behind it. */
const everythingOf = (error: unknown): string => inspect(error, { depth: 10, showHidden: true });

(server ? describe : describe.skip)('a listener with TLS and SASL', () => {
  afterAll(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true });
  });
  const ca = `&ca=${encodeURIComponent(inFolder('ca.pem'))}`;

  it('lets in who knows the password', async () => {
    const bus = await open('tidegate:s3%3Acr%40t', ca);
    const heard: Delivery[] = [];
    await bus.check();
    await bus.subscribe({
      group: 'g',
      topics: [topic],
      types: new Set([type]),
      handle: async (delivery) => heard.push(delivery),
    });
    await bus.publish([event]);
    await eventually(() => heard.length > 0, 15_000);
    expect(heard[0]?.message.metadata.id).toBe('m-1');
  });

  it.each([
    ['a wrong password', 'tidegate:s3cret-guess', ca, /authentication failed/i],
    ['an unknown certificate', 'tidegate:s3%3Acr%40t', '', /self-signed certificate/],
  ])(
    'is unreachable with %s, and says why in time, without the password',
    async (_what, userinfo, authority, why) => {
      const bus = await open(userinfo, authority);
      const reports: unknown[] = [];
      bus.onReport((report) => reports.push(report));
      const clear = { code: 'BUS_UNREACHABLE', message: expect.stringMatching(why) };
      await expect(bus.check()).rejects.toMatchObject(clear);
      await expect(bus.publish([event])).rejects.toMatchObject(clear);
      await bus.subscribe({ group: 'g', topics: [topic], types: new Set([type]), handle });
      await eventually(() => reports.length > 0, 15_000);
      expect(reports[0]).toMatchObject({ message: expect.stringMatching(why) });
      const said = JSON.stringify([reports, await bus.check().catch(everythingOf)]);
      for (const secret of ['s3cret-guess', 's3:cr@t', 's3%3Acr%40t'])
        expect(said).not.toContain(secret);
    },
  );

  it('names the file with the authorities if it cannot be read', async () => {
    await expect(open('a:b', '&ca=/nowhere/ca.pem')).rejects.toMatchObject({
      code: 'BUS_FAILED',
      message: expect.stringContaining('/nowhere/ca.pem'),
    });
  });
});
