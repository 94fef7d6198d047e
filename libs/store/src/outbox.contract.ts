import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { OutgoingMessage } from '@tidegate/contracts';
import { eventually } from '@tidegate/kernel/testing';
import { Crash, crashAt } from './faults.memory.ts';
import { writePoints } from './faults.port.ts';
import { firstDeliveries, ID, setting, told } from './sample-flag.contract.ts';
import type { Open } from './store.contract.ts';

const answered = (ids: readonly string[]) =>
  ids.flatMap((id) => [`FlagChanged ${id}`, `FlagCommandAnswered ${id}`]);

export function outboxContract(open: Open): void {
  describe('a bus that is away', () => {
    it('does not keep a change from being saved; the relay publishes it later, in order', async () => {
      const { start, ask, bus, reopen } = await setting(open);
      const first = start();
      bus.down.add('*');
      for (const id of ['c-1', 'c-2', 'c-3'])
        expect(await first.run(ask('SetExposure', id))).toMatchObject({ published: false });
      expect(first.failures.length).toBeGreaterThan(0);
      expect(first.failures[0]).toMatchObject({ collection: 'flags', id: ID, doing: 'publish' });

      const later = start({ store: await reopen() });
      expect(await later.relay()).toEqual({ published: 0, failed: 1 });
      bus.down.clear();
      expect(await later.relay()).toEqual({ published: 1, failed: 0 });
      expect(await later.relay()).toEqual({ published: 0, failed: 0 });
      expect(told(bus.published.filter(({ topic }) => topic === 'flag.events'))).toEqual(
        answered(['c-1', 'c-2', 'c-3']),
      );
      expect(told(firstDeliveries(bus.published, 'flag.state.production'))).toEqual([
        'FlagState c-1',
        'FlagState c-2',
        'FlagState c-3',
      ]);
    });

    it('for one topic holds up that topic only', async () => {
      const { start, ask, bus } = await setting(open);
      const { run, relay } = start();
      bus.down.add('flag.events');
      await run(ask('DisableFlag', 'c-1'));
      expect(bus.published.map(({ topic }) => topic)).toEqual([
        'kills',
        'migration.commands',
        'flag.state.production',
      ]);
      bus.down.clear();
      await run(ask('EnableFlag', 'c-2'));
      expect(told(firstDeliveries(bus.published, 'flag.events'))).toEqual([
        'FlagDisabled c-1',
        'FlagCommandAnswered c-1',
        'FlagEnabled c-2',
        'FlagCommandAnswered c-2',
      ]);
      expect(await relay()).toEqual({ published: 0, failed: 0 });
    });

    it('has its debts paid kills first, over all documents', async () => {
      const { start, ask, bus } = await setting(open);
      const { run, relay, aggregate } = start();
      bus.down.add('*');
      for (let n = 0; n < 150; n += 1) await run(ask('SetExposure', `c-${n}`), `flag-${n}`);
      await run(ask('SetExposure', 'c-150'), 'flag-last');
      await run(ask('SetExposure', 'c-kill', { kills: true }), 'flag-last');
      bus.down.clear();
      expect(await aggregate.documents.owing(1)).toEqual(['flag-last']);
      expect(await relay()).toEqual({ published: 151, failed: 0 });
      // It is with the first hundred, which are on their way at once, each with three messages.
      const place = bus.published.findIndex(({ topic }) => topic === 'kills');
      expect(place).toBeGreaterThanOrEqual(0);
      expect(place).toBeLessThan(300);
    });

    it('for some does not keep the relay from the others, however many those are', async () => {
      const { start, ask, bus } = await setting(open);
      const publish = async (messages: readonly OutgoingMessage[]) => {
        if (messages.some(({ metadata }) => metadata.actor === 'stuck')) throw new Error('no');
        await bus.publish(messages);
      };
      const { run, relay } = start({ publish });
      bus.down.add('*');
      for (let n = 0; n < 250; n += 1) {
        const command = ask('SetExposure', `c-${n}`);
        const actor = n < 230 ? 'stuck' : 'ann';
        await run({ ...command, metadata: { ...command.metadata, actor } }, `flag-${n}`);
      }
      bus.down.clear();
      expect(await relay()).toEqual({ published: 20, failed: 230 });
    });
  });

  describe('a bus that is slow', () => {
    /** The first publish to `topic` waits until it is let pass or fails; the others go through. */
    const slow = async (topic: string) => {
      const [begun, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      let isFirst = true;
      const all = await setting(open);
      const publish = async (messages: readonly OutgoingMessage[]) => {
        if (isFirst && messages[0]?.topic === topic) {
          isFirst = false;
          begun.resolve();
          await ended.promise;
        }
        await all.bus.publish(messages);
      };
      const fail = () => {
        ended.reject(new Error('The broker is gone.'));
      };
      const process = all.start({ publish });
      return { ...all, reached: begun.promise, pass: ended.resolve, fail, process };
    };

    it('is not overtaken by the next change, nor by the relay', async () => {
      const { process, ask, pass, reached, bus } = await slow('flag.events');
      const first = process.run(ask('SetExposure', 'c-1'));
      await reached;
      const second = process.run(ask('SetExposure', 'c-2'));
      await eventually(async () => (await process.aggregate.documents.load(ID))?.version === 2);
      const relayed = process.relay();
      expect(firstDeliveries(bus.published, 'flag.events')).toEqual([]);
      pass();
      expect(await first).toMatchObject({ published: true });
      expect(await second).toMatchObject({ published: true });
      await relayed;
      expect(told(bus.published.filter(({ topic }) => topic === 'flag.events'))).toEqual(
        answered(['c-1', 'c-2']),
      );
    });

    it('is not overtaken when it fails in the end', async () => {
      const { process, ask, fail, reached, bus } = await slow('flag.events');
      const first = process.run(ask('SetExposure', 'c-1'));
      await reached;
      const second = process.run(ask('SetExposure', 'c-2'));
      await eventually(async () => (await process.aggregate.documents.load(ID))?.version === 2);
      fail();
      expect(await first).toMatchObject({ published: false });
      expect(await second).toMatchObject({ published: false });
      expect(firstDeliveries(bus.published, 'flag.events')).toEqual([]);
      await process.relay();
      expect(told(firstDeliveries(bus.published, 'flag.events'))).toEqual(answered(['c-1', 'c-2']));
    });

    it('keeps nothing from being saved, and holds up no kill', async () => {
      const { process, ask, pass, bus } = await slow('flag.events');
      const first = process.run(ask('SetExposure', 'c-1'));
      const kill = process.run(ask('DisableFlag', 'c-2'));
      const { documents } = process.aggregate;
      await eventually(() => bus.published.some(({ topic }) => topic === 'kills'));
      expect((await documents.load(ID))?.state.changedBy).toEqual(['c-1', 'c-2']);
      pass();
      await Promise.all([first, kill]);
      expect(await documents.owing(1)).toEqual([]);
    });

    it('may deliver twice what two processes flush at once, but in order', async () => {
      const { start, ask, bus } = await setting(open);
      const [one, other] = [start(), start()];
      bus.down.add('*');
      for (const id of ['c-1', 'c-2', 'c-3']) await one.run(ask('SetExposure', id));
      bus.down.clear();
      await Promise.all([one.relay(), other.relay(), one.flush(), other.run(ask('Check', 't-1'))]);
      expect(told(firstDeliveries(bus.published, 'flag.events'))).toEqual(
        answered(['c-1', 'c-2', 'c-3']),
      );
    });
  });

  describe('a bus that takes its time and fails now and then', () => {
    const turns = async (count: number) => {
      for (let left = count; left > 0; left -= 1)
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
    };
    const publishes = fc.infiniteStream(
      fc.record({ turns: fc.nat({ max: 6 }), fails: fc.boolean() }),
    );
    const pauses = fc.array(fc.nat({ max: 4 }), { minLength: 6, maxLength: 6 });

    it('gets everything, and nothing is overtaken', async () => {
      await fc.assert(
        fc.asyncProperty(publishes, pauses, fc.boolean(), async (stream, pauses, withRelay) => {
          const { start, ask, bus } = await setting(open);
          const publish = async (messages: readonly OutgoingMessage[]) => {
            const { value } = stream.next();
            await turns(value.turns);
            if (value.fails) throw new Error('Not now.');
            await bus.publish(messages);
          };
          const { run, relay, aggregate } = start({ publish });
          const ids = pauses.map((_pause, n) => `c-${n}`);
          const running: Promise<unknown>[] = [];
          for (const [n, pause] of pauses.entries()) {
            running.push(run(ask('SetExposure', `c-${n}`, { kills: n % 2 === 0 })));
            await turns(pause);
            if (withRelay) running.push(relay());
          }
          await Promise.all(running);
          while ((await relay()).failed > 0);
          expect(await aggregate.documents.owing(1)).toEqual([]);
          expect(told(firstDeliveries(bus.published, 'flag.events'))).toEqual(answered(ids));
          expect(told(firstDeliveries(bus.published, 'kills'))).toEqual([
            'PauseMigration c-0',
            'PauseMigration c-2',
            'PauseMigration c-4',
          ]);
          // One process, whose sends of a lane follow each other, delivers nothing twice.
          expect(new Set(bus.published.map(({ metadata }) => metadata.id)).size).toBe(
            bus.published.length,
          );
        }),
        { numRuns: 50 },
      );
    }, 60_000);
  });

  describe('a process that is killed', () => {
    const commands = ['c-1', 'c-2', 'c-3', 'c-4'];
    // Each command passes the points of execute once, those of the outbox once per (topic, key).
    const cases = writePoints.flatMap((point) =>
      (point.startsWith('execute') ? [1, 2, 4] : [1, 2, 3, 4, 8, 12]).map((nth) => ({
        point,
        nth,
      })),
    );

    it.each(cases)(
      'at $point, time $nth, loses nothing, doubles nothing, and nothing is overtaken',
      async ({ point, nth }) => {
        const { start, ask, bus, reopen } = await setting(open);
        const faults = crashAt(point, nth);
        const asked = commands.map((id) => ask('SetExposure', id, { kills: true }));
        const died = start({ faults });
        // The bus delivers in order, from the last that was not committed on.
        let committed = 0;
        for (const command of asked) {
          const outcome = await died.run(command).catch((error: unknown) => error);
          if (outcome instanceof Crash) break;
          committed += 1;
        }
        expect(faults.crashed).toBe(true);

        const next = start({ store: await reopen() });
        await next.relay();
        for (const command of asked.slice(committed)) await next.run(command);
        await next.relay();

        const { documents } = next.aggregate;
        expect(await documents.load(ID)).toMatchObject({
          version: 4,
          state: { changedBy: commands },
          outbox: [],
        });
        const changes = answered(commands);
        expect(told(firstDeliveries(bus.published, 'flag.events'))).toEqual(changes);
        for (const [topic, type] of [
          ['kills', 'PauseMigration'],
          ['flag.state.production', 'FlagState'],
        ] as const)
          expect(told(firstDeliveries(bus.published, topic))).toEqual(
            commands.map((id) => `${type} ${id}`),
          );
      },
    );
  });

  describe('a store that fails after the bus has taken the messages', () => {
    it('has them published again, behind nothing that is new', async () => {
      const { start, ask, bus } = await setting(open);
      const { run, relay } = start({ faults: crashAt('outbox.published') });
      await expect(run(ask('SetExposure', 'c-1'))).rejects.toThrow(Crash);
      await expect(relay()).rejects.toThrow(Crash);
      const { run: again, relay: relayAgain } = start();
      await again(ask('SetExposure', 'c-2'));
      expect(told(firstDeliveries(bus.published, 'flag.events'))).toEqual(answered(['c-1', 'c-2']));
      expect(bus.published.filter(({ topic }) => topic === 'flag.events').length).toBeGreaterThan(
        4,
      );
      expect(await relayAgain()).toEqual({ published: 0, failed: 0 });
    });
  });
}
