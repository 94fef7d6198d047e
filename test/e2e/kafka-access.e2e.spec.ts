import { join } from 'node:path';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { accessRules, type AccessRule, providedTopics } from '@tidegate/bus';
import { eventually } from '@tidegate/kernel/testing';
import kafkajs, { type Admin, type Kafka } from 'kafkajs';
import { openServerIfAny, type Server } from '../servers/servers.ts';
import { freePort } from '../servers/process.ts';
import { askAt, booleanFlag } from './house.ts';
import { openReceiver } from './receiver.ts';
import { type Program, start, temporaryFolder } from './process.ts';

jest.setTimeout(180_000);

const SERVICES = [
  'audit-sink',
  'notifier',
  'flag-service',
  'migration-runner',
  'metrics-gatekeeper',
];
const PREFIX = 'tidegate.';
const ADMIN_KEY = 'an-admin-key-for-this-spec';
const passwordOf = (user: string): string => `${user}-password`;
const [open, guarded, controller] = [await freePort(), await freePort(), await freePort()];
const login = 'org.apache.kafka.common.security.plain.PlainLoginModule';
const users = SERVICES.map((name) => `user_${name}="${passwordOf(name)}"`).join(' ');

/** Whoever comes by the open listener is the operator, who may do everything. */
const server: Server | undefined = await openServerIfAny('kafka', {
  own: true,
  port: open,
  properties: {
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: `PLAINTEXT://127.0.0.1:${open},CONTROLLER://127.0.0.1:${controller},GUARDED://127.0.0.1:${guarded}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${open},GUARDED://127.0.0.1:${guarded}`,
    'listener.security.protocol.map':
      'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,GUARDED:SASL_PLAINTEXT',
    'sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.guarded.sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.guarded.plain.sasl.jaas.config': `${login} required ${users};`,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'allow.everyone.if.no.acl.found': 'false',
    'super.users': 'User:ANONYMOUS',
  },
});
afterAll(() => server?.stop());

const clientOf = (port: number, user?: string): Kafka =>
  new kafkajs.Kafka({
    brokers: [`127.0.0.1:${port}`],
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 3 },
    ...(user === undefined
      ? {}
      : { sasl: { mechanism: 'plain', username: user, password: passwordOf(user) } }),
  });

async function provide(admin: Admin): Promise<void> {
  await admin.createTopics({
    topics: providedTopics(PREFIX, 1).map(({ name, partitions, replication, entries }) => ({
      topic: name,
      numPartitions: partitions,
      replicationFactor: replication,
      configEntries: Object.entries(entries).map(([key, value]) => ({ name: key, value })),
    })),
  });
  await admin.createAcls({ acl: accessRules(PREFIX).flatMap(entriesOf) });
}

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

const operationOf = (operation: AccessRule['operations'][number]) =>
  operation === 'DescribeConfigs'
    ? 'DESCRIBE_CONFIGS'
    : (operation.toUpperCase() as 'READ' | 'WRITE' | 'CREATE');

const entriesOf = ({ principal, resource, name, pattern, operations }: AccessRule) =>
  operations.map((operation) => ({
    principal: `User:${principal}`,
    host: '*',
    permissionType: AclPermissionTypes.ALLOW,
    operation: AclOperationTypes[operationOf(operation)],
    resourceType: resource === 'topic' ? AclResourceTypes.TOPIC : AclResourceTypes.GROUP,
    resourceName: name,
    resourcePatternType:
      pattern === 'prefixed' ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
  }));

interface Running {
  readonly program: Program;
  readonly url: string;
}

async function startService(
  name: string,
  folder: string,
  env: Readonly<Record<string, string>>,
): Promise<Running> {
  const program = start(`apps/${name}/dist/main.js`, [], {
    ...env,
    PORT: '0',
    ADMIN_API_KEY: ADMIN_KEY,
    DATA_DIR: join(folder, name),
    STORE_URL: `sqlite:${join(folder, name, 'store.db')}`,
    BUS_URL: `kafka://${name}:${passwordOf(name)}@127.0.0.1:${guarded}?sasl=plain&replication=1`,
  });
  const output = await program.printed('the service is ready', 60_000);
  const [, url = ''] = /"url":"(http:[^"]+)"/.exec(output) ?? [];
  return { program, url };
}

/** A stage that nothing but a breach ends, and a migration whose database is not there. */
const PLAN =
  'plan: breached\nflag: banner\nsteps:\n  - { stage: all, percentage: 100, hold: 1h }\n';

(server ? describe : describe.skip)('a cluster that allows each service what it needs', () => {
  it('lets all of them work, and nobody give commands that are not his', async () => {
    const operator = clientOf(open);
    const admin = operator.admin();
    await admin.connect();
    await provide(admin);
    await using stack = new AsyncDisposableStack();
    stack.defer(() => admin.disconnect());
    const folder = temporaryFolder();
    const receiver = stack.use(await openReceiver());
    const env = { ...receiver.environment, MIGRATIONS_DIR: 'examples/checkout/migrations' };
    const running: Record<string, Running> = {};
    for (const name of SERVICES) {
      running[name] = await startService(name, folder, env);
      stack.use(running[name].program);
    }
    const ask = <T = Record<string, unknown>>(
      method: string,
      service: string,
      path: string,
      body?: unknown,
    ) => askAt<T>(`${running[service]?.url}${path}`, method, ADMIN_KEY, { body });
    const FLAG = '/v1/environments/production/flags/banner';

    expect(await ask('PUT', 'flag-service', '/v1/environments/production', {})).toMatchObject({
      status: 200,
    });
    expect(await ask('PUT', 'flag-service', FLAG, booleanFlag(0))).toMatchObject({
      status: 200,
      body: { published: true },
    });
    expect((await ask('PUT', 'metrics-gatekeeper', '/v1/plans/breached', PLAN)).status).toBe(201);
    const { body: rollout } = await ask<{ id: string }>(
      'POST',
      'metrics-gatekeeper',
      '/v1/rollouts',
      { plan: 'breached', environment: 'production' },
    );
    const stands = async () =>
      (await ask('GET', 'metrics-gatekeeper', `/v1/rollouts/${rollout.id}`)).body;
    await eventually(async () => (await stands())['phase'] === 'open', 30_000);
    const told = await ask('POST', 'metrics-gatekeeper', '/v1/breaches', {
      environment: 'production',
      rollout: rollout.id,
      guard: 'complaints',
      message: 'Five complaints in ten minutes.',
    });
    expect(told.status).toBe(202);
    await eventually(async () => (await stands())['status'] === 'rolled-back', 30_000);
    await eventually(
      () => receiver.deliveries.some(({ title }) => title.includes('is rolled back')),
      30_000,
    );

    const producer = operator.producer();
    await producer.connect();
    await producer.send({
      topic: `${PREFIX}flag.commands`,
      messages: [{ key: 'x', value: 'no JSON', headers: { ce_type: 'tidegate.flag.put.v1' } }],
    });
    await producer.disconnect();
    const letters = async (service: string) =>
      (await ask<{ items: { id: string }[] }>('GET', service, '/v1/bus/dead-letters')).body.items;
    await eventually(async () => (await letters('notifier')).length === 1, 30_000);
    const [letter] = await letters('flag-service');
    const replay = `/v1/bus/dead-letters/${encodeURIComponent(letter?.id ?? '')}/replay`;
    expect((await ask('POST', 'notifier', replay)).status).toBe(202);
    await eventually(async () => (await letters('notifier')).length === 2, 30_000);

    const sealed = await ask('POST', 'audit-sink', '/v1/seals?drainMs=10000');
    expect(sealed).toMatchObject({ status: 200, body: { waiting: 0 } });
    for (const { program } of Object.values(running))
      expect(program.output()).not.toMatch(/not authorized|AUTHORIZATION/i);

    const intruder = clientOf(guarded, 'notifier').producer();
    await intruder.connect();
    const kill = { topic: `${PREFIX}kills`, messages: [{ value: '{}' }] };
    await expect(intruder.send(kill)).rejects.toThrow(/not authorized/i);
    await intruder.disconnect();
  });
});
