import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { openKafkaBus, type RawRecord } from '@tidegate/bus';
import { decode, PutEnvironment, PutFlag } from '@tidegate/contracts';
import { exampleOf } from '@tidegate/contracts/testing';
import { isRejection } from '@tidegate/kernel';
import { eventually } from '@tidegate/kernel/testing';
import { type Program, start } from '../e2e/process.ts';
import { openServerIfAny } from '../servers/servers.ts';

jest.setTimeout(240_000);

const kafka = await openServerIfAny('kafka', { own: true });
const mongodb = await openServerIfAny('mongodb', { own: true });
afterAll(async () => {
  await Promise.all([kafka?.stop(), mongodb?.stop()]);
});

/** So long a frozen member is waited for, and the group then divided anew. */
const TAKEOVER_MS = 60_000;

async function startReplica(): Promise<Program> {
  const replica = start('apps/flag-service/dist/main.js', [], {
    PORT: '0',
    BUS_URL: `kafka://${kafka?.url}?replication=1`,
    STORE_URL: String(mongodb?.url),
    ADMIN_API_KEY: 'long-enough-for-a-key',
  });
  await replica.printed('the service is ready', 60_000);
  return replica;
}

const ids = { next: randomUUID };
const metadata = () => ({ id: randomUUID(), at: Date.now() });
const put = (percentage: number) => {
  const { definition } = exampleOf(PutFlag).data;
  const exposure = { variant: definition.defaultVariant, percentage };
  const data = { definition: { ...definition, rules: [], exposure } };
  return { topic: PutFlag.topic, ...exampleOf(PutFlag, data, metadata()) };
};

(kafka && mongodb ? describe : describe.skip)('two replicas of flag-service on Kafka', () => {
  it('do everything once, whichever of them is frozen, replaced, and goes on later', async () => {
    const bus = await openKafkaBus({
      brokers: [String(kafka?.url)],
      replication: 1,
      clientId: 'spec',
      source: 'spec',
      clock: { now: Date.now },
      random: { next: Math.random },
      ids,
    });
    await using stack = new AsyncDisposableStack();
    stack.defer(() => bus.close());
    const environment = exampleOf(PutEnvironment, {}, metadata());
    await bus.publish([{ topic: PutEnvironment.topic, ...environment }]);
    const replicas = [stack.use(await startReplica()), stack.use(await startReplica())];

    /** Ids of the events that followed from each command: one that is published again has the id that it had. */
    const followed = new Map<string, Set<string>>();
    const versions = new Set<number>();
    const note = ({ record }: RawRecord): void => {
      const decoded = decode(record);
      if (isRejection(decoded)) throw new Error(decoded.message);
      const { type, metadata } = decoded.message;
      if (!type.startsWith('Flag') || metadata.causationId === undefined) return;
      const known = followed.get(metadata.causationId) ?? new Set();
      followed.set(metadata.causationId, known.add(`${type} ${metadata.id}`));
      if (metadata.revision) versions.add(metadata.revision.version);
    };
    await bus.subscribeRaw({
      group: 'spec',
      topics: ['flag.events'],
      maxBatch: 100,
      handle: async (batch) => batch.forEach(note),
    });

    const sent: string[] = [];
    const over = new AbortController();
    const sending = (async () => {
      while (!over.signal.aborted) {
        const command = put(sent.length + 1);
        await bus.publish([command]);
        sent.push(command.metadata.id);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    await eventually(() => followed.size > 20, TAKEOVER_MS);
    for (const replica of replicas) {
      replica.signal('SIGSTOP');
      const [soFar, from] = [followed.size, sent.length];
      await eventually(() => sent.length > from + 50 && followed.size > soFar + 50, TAKEOVER_MS);
      replica.signal('SIGCONT');
      await eventually(() => sent.length > from + 150, TAKEOVER_MS);
    }
    over.abort();
    await sending;
    await eventually(() => sent.every((id) => followed.has(id)), TAKEOVER_MS);

    const kinds = sent.map((id) => [...(followed.get(id) ?? [])].map((each) => each.split(' ')[0]));
    for (const [index, kind] of kinds.entries())
      expect(kind).toEqual([index === 0 ? 'FlagCreated' : 'FlagChanged', 'FlagCommandAnswered']);
    expect(Math.max(...versions)).toBe(sent.length);
    expect(versions.size).toBe(sent.length);
    expect(await bus.deadLetters.list({ limit: 1 })).toEqual([]);
  });
});
