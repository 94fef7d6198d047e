import { describe, expect, it } from '@jest/globals';
import { DisableFlag, type OutgoingMessage, SecurityEventRecorded } from '@tidegate/contracts';
import { AppError } from '@tidegate/kernel';
import { sequentialIds } from '@tidegate/kernel/testing';
import { type MemoryBus, memoryBus } from './bus.memory.ts';
import type { BusReport } from './bus.port.ts';
import { defaultPolicy } from './delivery-policy.ts';
import { busError } from './errors.ts';
import { LogBus } from './log-bus.handler.ts';
import type { Append, Position } from './log.port.ts';
import { MemoryFile, MemoryLog } from './log.memory.ts';
import { virtualTime } from './virtual-time.memory.ts';

const DAY = 86_400_000;
const EVENTS = SecurityEventRecorded.topic;
let count = 0;
const metadata = () => {
  count += 1;
  return { id: `m-${count}`, source: 'spec', at: 1, actor: 'spec', correlationId: 'c' };
};
const event = (message: string): OutgoingMessage => ({
  topic: EVENTS,
  type: SecurityEventRecorded.type,
  key: 'key',
  data: { service: 'key', event: 'counted', message, details: {} },
  metadata: metadata(),
});
const kill = (): OutgoingMessage => {
  const data = { environment: 'production', key: 'checkout', reason: 'it is broken' };
  return {
    topic: DisableFlag.topic,
    type: DisableFlag.type,
    key: DisableFlag.key(data),
    data,
    metadata: metadata(),
  };
};
const unreachable = () => new AppError('STORE_UNREACHABLE', 'Nobody answers.', { retryable: true });

function start(file = new MemoryFile()) {
  const time = virtualTime(100 * DAY);
  const { clock, timer } = time;
  const bus = memoryBus({ clock, timer, ids: sequentialIds(), file });
  return { ...watch(bus), time, bus, settled: () => bus.idle() };
}

function watch(bus: LogBus) {
  const reports: BusReport[] = [];
  bus.onReport((report) => reports.push(report));
  const taken: string[] = [];
  const subscribe = (group: string, handle: (n: number) => unknown, topics = [EVENTS]) =>
    bus.subscribe({
      group,
      topics,
      types: new Set([SecurityEventRecorded.type, DisableFlag.type]),
      handle: async ({ message }) => {
        taken.push(message.metadata.id);
        await handle(taken.length);
      },
    });
  return { reports, taken, subscribe };
}

describe('a partition that waits', () => {
  it('is reported at the lag deadline, once, and goes on by itself', async () => {
    const { bus, time, reports, subscribe, settled } = start();
    let isAway = true;
    await subscribe('g', () => {
      if (isAway) throw unreachable();
    });
    await bus.publish([event('1')]);
    await time.advance(defaultPolicy.lagDeadlineMs - 1_000, settled);
    expect(reports).toEqual([]);
    await time.advance(600_000, settled);
    expect(reports).toMatchObject([
      { kind: 'lagging', group: 'g', topic: EVENTS, message: expect.stringContaining('Nobody') },
    ]);
    const waiting = (await bus.lag()).find(({ records }) => records > 0);
    expect(waiting).toMatchObject({ waitingFor: 'STORE_UNREACHABLE', records: 1 });
    expect(waiting?.ageMs).toBeGreaterThan(600_000);
    isAway = false;
    await time.advance(defaultPolicy.longestRetryMs, settled);
    expect((await bus.lag()).every(({ records }) => records === 0)).toBe(true);
  });

  it('is reported within seconds if a kill waits in it', async () => {
    const { bus, time, reports, subscribe, settled } = start();
    const unavailable = () => {
      throw unreachable();
    };
    await subscribe('s.kills', unavailable, [DisableFlag.topic]);
    await bus.publish([kill()]);
    await time.advance(3_000, settled);
    expect(reports).toMatchObject([{ kind: 'lagging', group: 's.kills' }]);
  });

  it('does not keep its group from stopping, and its record comes again', async () => {
    const { bus, time, taken, subscribe, settled } = start();
    const running = await subscribe('g', () => {
      throw unreachable();
    });
    await bus.publish([event('1')]);
    await time.advance(1_000, settled);
    await running.stop();
    const before = taken.length;
    await time.advance(60_000, settled);
    expect(taken).toHaveLength(before);
    await subscribe('g', () => undefined);
    await settled();
    expect(taken).toHaveLength(before + 1);
  });

  it('is reported as stuck after the time a handler may take, once', async () => {
    const { bus, time, reports, subscribe, settled } = start();
    const release = Promise.withResolvers<void>();
    await subscribe('g', () => release.promise);
    await bus.publish([event('1'), event('2')]);
    const turns = () => new Promise(setImmediate);
    await time.advance(defaultPolicy.deadlineMs - 1, turns);
    expect(reports).toEqual([]);
    await time.advance(100_000, turns);
    expect(reports).toMatchObject([{ kind: 'stuck', group: 'g' }]);
    release.resolve();
    await settled();
  });
});

describe('records that retention removed unhandled', () => {
  it('are never skipped in silence', async () => {
    const file = new MemoryFile();
    const first = start(file);
    const running = await first.subscribe('g', () => undefined);
    await running.stop();
    await first.bus.publish(['1', '2', '3'].map(event));
    await first.time.advance(31 * DAY);
    expect(first.bus.log.clean(EVENTS, first.time.clock.now())).toBe(2);
    await first.subscribe('g', () => undefined);
    await first.settled();
    expect(first.taken).toHaveLength(1);
    expect(first.reports).toMatchObject([
      { kind: 'lagging', group: 'g', message: expect.stringContaining('lost 2 records') },
    ]);
  });
});

describe('a log that fails for a while', () => {
  class FailingLog extends MemoryLog {
    isFailing = false;

    override read(...place: Parameters<MemoryLog['read']>): ReturnType<MemoryLog['read']> {
      this.#mayFail();
      return super.read(...place);
    }

    override async append(records: readonly Append[], positions?: readonly Position[]) {
      this.#mayFail();
      await super.append(records, positions);
    }

    override beginAttempt(...place: Parameters<MemoryLog['beginAttempt']>): number {
      this.#mayFail();
      return super.beginAttempt(...place);
    }

    #mayFail(): void {
      if (this.isFailing) throw busError('BUS_UNREACHABLE', 'The disk is full.');
    }
  }

  function startFailing(file = new MemoryFile()) {
    const time = virtualTime(100 * DAY);
    const log = new FailingLog(file, time.clock);
    const { clock, timer } = time;
    const bus = new LogBus({
      log,
      clock,
      timer,
      random: { next: () => 0 },
      ids: sequentialIds(),
      source: 'bus',
      policy: defaultPolicy,
    });
    return { ...watch(bus), time, log, bus };
  }

  it('takes no message, says so, and keeps the place of every reader', async () => {
    const { bus, log, time, reports, taken, subscribe } = startFailing();
    await subscribe('g', () => undefined);
    await bus.publish([event('1')]);
    await time.advance(10);
    log.isFailing = true;
    await expect(bus.publish([event('2')])).rejects.toMatchObject({
      code: 'BUS_UNREACHABLE',
      retryable: true,
    });
    log.isFailing = false;
    await bus.publish([event('3')]);
    log.isFailing = true;
    await time.advance(defaultPolicy.lagDeadlineMs * 2);
    expect(taken).toHaveLength(1);
    expect(reports).toMatchObject([{ kind: 'lagging', group: 'g' }]);
    log.isFailing = false;
    await time.advance(defaultPolicy.longestRetryMs);
    expect(taken).toHaveLength(2);
  });

  it('gets a dead letter as soon as it can take one, and nothing overtakes it', async () => {
    const { bus, log, time, taken, reports, subscribe } = startFailing();
    await subscribe('g', (n) => {
      if (n > 1) return;
      log.isFailing = true;
      throw new TypeError('broken');
    });
    await bus.publish([event('1'), event('2')]);
    await time.advance(defaultPolicy.lagDeadlineMs - 1);
    expect(taken).toHaveLength(1);
    log.isFailing = false;
    await time.advance(defaultPolicy.longestRetryMs);
    expect(taken).toHaveLength(2);
    expect(await bus.deadLetters.list({ limit: 10 })).toMatchObject([{ code: 'TypeError' }]);
    expect(reports.map(({ kind }) => kind)).toEqual(['dead-lettered']);
  });

  it('is waited for before a message is taken one at a time', async () => {
    const file = new MemoryFile();
    const first = startFailing(file);
    await first.subscribe('g', () => new Promise(() => undefined));
    await first.bus.publish([event('1')]);
    await first.time.advance(10);
    first.bus.abandon();
    const { log, time, taken, subscribe } = startFailing(file);
    await subscribe('g', () => undefined);
    log.isFailing = true;
    await time.advance(1_000);
    expect(taken).toEqual([]);
    log.isFailing = false;
    await time.advance(defaultPolicy.longestRetryMs);
    expect(taken).toHaveLength(1);
  });
});

describe('after an unclean end', () => {
  const killed = async (file: MemoryFile): Promise<void> => {
    const { bus, time, subscribe } = start(file);
    const hang = () => new Promise(() => undefined);
    await subscribe('one', hang);
    await subscribe('other', hang);
    await subscribe('s.kills', hang, [DisableFlag.topic]);
    await bus.publish([event('1'), event('2'), kill()]);
    await time.advance(10, () => new Promise(setImmediate));
    bus.abandon();
  };

  it('takes messages one at a time in all groups, then side by side again', async () => {
    const file = new MemoryFile();
    await killed(file);
    const { bus, subscribe, settled } = start(file);
    let inHandling = 0;
    let most = 0;
    const handle = async () => {
      inHandling += 1;
      most = Math.max(most, inHandling);
      await new Promise(setImmediate);
      inHandling -= 1;
    };
    await subscribe('one', handle);
    await subscribe('other', handle);
    await settled();
    expect(most).toBe(1);
    await bus.publish([event('3')]);
    await settled();
    expect(most).toBe(2);
  });

  it('has a kill wait for nothing, even if the first message hangs', async () => {
    const file = new MemoryFile();
    await killed(file);
    const { bus, subscribe, settled } = start(file);
    const release = Promise.withResolvers<void>();
    await subscribe('one', () => release.promise);
    const kills = Promise.withResolvers<void>();
    let carriedOut = 0;
    await subscribe(
      's.kills',
      () => {
        carriedOut += 1;
        if (carriedOut === 2) kills.resolve();
      },
      [DisableFlag.topic],
    );
    await bus.publish([kill()]);
    await kills.promise;
    release.resolve();
    await settled();
  });
});

describe('a bus in memory', () => {
  it('shows what was published, and rests when nothing is left to do', async () => {
    const { bus, taken, subscribe }: { bus: MemoryBus } & ReturnType<typeof watch> = start();
    await subscribe('g', () => new Promise(setImmediate));
    const sent = ['1', '2', '3'].map(event);
    await bus.publish(sent);
    await bus.idle();
    expect(taken).toEqual(sent.map(({ metadata }) => metadata.id));
    expect(bus.records(EVENTS).map(({ record }) => record.headers['ce_id'])).toEqual(taken);
  });
});
