import { describe, expect, it } from '@jest/globals';
import type { BusReport, DeadLetter, PartitionLag } from '@tidegate/bus';
import type { OutgoingMessage } from '@tidegate/contracts';
import { SelfKnowledge } from './facts.handler.ts';

const kill = (id: string, topic = 'kills'): OutgoingMessage => ({
  topic,
  type: 'DisableFlag',
  key: `production/${id}`,
  data: {},
  metadata: { id, source: 'spec', at: 5, actor: 'spec', correlationId: id },
});

function setting() {
  let now = 1_000;
  let isAway = false;
  const self = new SelfKnowledge({ now: () => now });
  const publish = self.publishing(async () => {
    if (isAway) throw new Error('Nobody answers.');
  });
  return {
    self,
    at: (ms: number) => (now = ms),
    break: (broken = true) => (isAway = broken),
    publish: (...messages: OutgoingMessage[]) => publish(messages).catch(() => undefined),
    kills: () => self.facts().kills.map(({ key }) => key),
  };
}

const letter: DeadLetter = {
  id: 'l-1',
  at: 1_000,
  group: 'flag-service.kills',
  origin: { topic: 'kills', incarnation: 1, partition: 0, offset: 3n },
  reason: 'failed',
  code: 'TypeError',
  message: 'no such thing',
  attempts: 1,
  record: {
    key: 'production/banner',
    headers: { ce_type: 'tidegate.flag.disable.v1' },
    value: null,
  },
};

describe('a kill', () => {
  it('waits from when it was decided until the bus has taken it', async () => {
    const { publish, break: fail, self, kills } = setting();
    fail();
    await publish(kill('a'));
    expect(self.facts()).toMatchObject({
      kills: [{ type: 'DisableFlag', key: 'production/a', at: 5 }],
      refusal: 'Nobody answers.',
    });
    fail(false);
    await publish(kill('a'));
    expect(kills()).toEqual([]);
  });

  it('waits also while the bus hangs', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const self = new SelfKnowledge({ now: () => 1_000 });
    const published = self.publishing(() => promise)([kill('a'), kill('b', 'flag.events')]);
    expect(self.facts().kills).toMatchObject([{ key: 'production/a' }]);
    self.relayed(undefined, 2_000);
    expect(self.facts().kills).toHaveLength(1);
    resolve();
    await published;
    expect(self.facts().kills).toEqual([]);
  });

  it('waits no more when a round of the relay does not find it: another replica has sent it', async () => {
    const { publish, break: fail, self, kills, at } = setting();
    fail();
    await publish(kill('a'));
    at(2_000);
    await publish(kill('b'));
    self.relayed({ documents: 1, since: 1_000 }, 1_500);
    expect(kills()).toEqual(['production/b']);
  });
});

describe('what the bus reports', () => {
  const lagging: BusReport = {
    kind: 'lagging',
    group: 'flag-service',
    topic: 'flag.commands',
    message: 'It waits.',
  };
  const row = (more: Partial<PartitionLag>): PartitionLag => ({
    group: 'flag-service',
    topic: 'flag.commands',
    partition: 0,
    records: 3,
    ageMs: 10,
    ...more,
  });
  const after = async (...rows: PartitionLag[]) => {
    const { self } = setting();
    self.report(lagging);
    await self.review({ lag: async () => rows });
    return self.facts().lags.length;
  };

  it('of a consumer stands until it has caught up, or goes on', async () => {
    expect(await after(row({ waitingFor: 'STORE_UNREACHABLE' }))).toBe(1);
    expect(await after(row({ lastProgressAt: 500 }))).toBe(1);
    expect(await after(row({ lastProgressAt: 1_500 }))).toBe(0);
    expect(await after(row({ records: 0 }))).toBe(0);
    expect(await after(row({ group: 'others', records: 9 }))).toBe(0);
  });

  it('of a letter is told for an hour if it is a kill, or has ended the process', () => {
    const { self, at } = setting();
    self.report({ kind: 'dead-lettered', letter });
    const { record } = letter;
    const event = { ...record, headers: { ce_type: 'tidegate.flag.disabled.v1' } };
    const origin = { ...letter.origin, topic: 'flag.events' };
    const other = { ...letter, id: 'l-2', origin, record: event };
    self.report({ kind: 'dead-lettered', letter: other });
    self.report({
      kind: 'dead-lettered',
      letter: { ...other, id: 'l-3', reason: 'ended-process' },
    });
    expect(self.facts().givenUp).toMatchObject([
      { id: 'l-1', type: 'DisableFlag', key: 'production/banner', isKill: true },
      { id: 'l-3', type: 'FlagDisabled', isKill: false },
    ]);
    at(3_700_000);
    expect(self.facts().givenUp).toEqual([]);
  });
});
