import { describe, expect, it } from '@jest/globals';
import { AppError } from '@tidegate/kernel';
import type { Documents } from './documents.port.ts';
import { createExecute } from './execute.handler.ts';
import { noFaults } from './faults.port.ts';
import { createOutbox } from './outbox.handler.ts';
import { flags, ID, type SampleFlag, setting, told } from './sample-flag.contract.ts';
import type { Open } from './store.contract.ts';

const MINUTES = 60_000;

export function executeContract(open: Open): void {
  describe('a command that changes something', () => {
    it('is answered with the new version; state and messages are there', async () => {
      const { start, ask, bus } = await setting(open);
      const outcome = await start().run(ask('DisableFlag', 'c-1'));
      expect(outcome).toEqual({
        answer: { outcome: 'changed', version: 1 },
        state: { on: false, changedBy: ['c-1'], fence: 0 },
        epoch: 1,
        version: 1,
        repeated: false,
        published: true,
      });
      expect(bus.published.map(({ type, topic, key }) => [type, topic, key])).toEqual([
        ['PauseMigration', 'kills', 'm-7'],
        ['ResumeMigration', 'migration.commands', 'm-7'],
        ['FlagDisabled', 'flag.events', ID],
        ['FlagCommandAnswered', 'flag.events', ID],
        ['FlagState', 'flag.state.production', 'checkout'],
      ]);
    });

    it('owes its messages in their order of urgency', async () => {
      const { start, ask, bus } = await setting(open);
      const { run, aggregate } = start();
      bus.down.add('*');
      await run(ask('DisableFlag', 'c-1'));
      const outbox = (await aggregate.documents.load(ID))?.outbox;
      expect(outbox?.map(({ seq, message }) => [seq, message.type])).toEqual([
        [1, 'PauseMigration'],
        [2, 'ResumeMigration'],
        [3, 'FlagDisabled'],
        [4, 'FlagCommandAnswered'],
        [5, 'FlagState'],
      ]);
    });

    it('is named as the cause in what it causes, and its actor and correlation go on', async () => {
      const { start, ask, bus, clock } = await setting(open);
      clock.advance(1_000);
      await start().run(ask('DisableFlag', 'c-1'));
      for (const { metadata, type } of bus.published) {
        const isCommand = type.endsWith('Migration');
        expect(metadata).toEqual({
          id: expect.any(String),
          source: 'flag-service',
          at: clock.now(),
          actor: 'ann',
          correlationId: 'r-42',
          causationId: 'c-1',
          traceparent: expect.stringMatching(/^00-/),
          ...(isCommand ? {} : { revision: { epoch: 1, version: 1 } }),
        });
      }
      expect(new Set(bus.published.map(({ metadata }) => metadata.id)).size).toBe(5);
    });

    it('is answered with an event that names it', async () => {
      const { start, ask, bus } = await setting(open);
      await start().run(ask('DisableFlag', 'c-1'));
      expect(bus.published[3]?.data).toEqual({
        environment: 'production',
        key: 'checkout',
        command: { id: 'c-1', source: 'cli', type: 'DisableFlag' },
        outcome: 'changed',
        version: 1,
      });
    });

    it('shows the raised epoch in its revision', async () => {
      const { start, ask, bus, reopen } = await setting(open);
      await start().run(ask('SetExposure', 'c-1'));
      const later = start({ store: await reopen({ raiseEpoch: true }) });
      expect(await later.run(ask('SetExposure', 'c-2'))).toMatchObject({ epoch: 2, version: 2 });
      expect(bus.published.at(-1)?.metadata.revision).toEqual({ epoch: 2, version: 2 });
    });
  });

  describe('a command that changes nothing', () => {
    it('is answered so, and no state record goes out', async () => {
      const { start, ask, bus } = await setting(open);
      const { run } = start();
      await run(ask('DisableFlag', 'c-1'));
      const outcome = await run(ask('DisableFlag', 'c-2'));
      expect(outcome.answer).toEqual({ outcome: 'unchanged', version: 1 });
      expect(told(bus.published.slice(5))).toEqual(['FlagCommandAnswered c-2']);
      expect(bus.published[5]?.data).toMatchObject({ outcome: 'unchanged', version: 1 });
    });
  });

  describe('a refused command', () => {
    it('leaves state and version and says why, in the answer and in an event', async () => {
      const { start, ask, bus } = await setting(open);
      const outcome = await start().run(ask('EnableFlag', 'c-1'));
      const refusal = {
        outcome: 'refused',
        version: 0,
        code: 'FLAG_ENABLED',
        message: 'It is on.',
      };
      expect(outcome).toMatchObject({ answer: refusal, version: 0, state: { on: true } });
      expect(told(bus.published)).toEqual(['FlagCommandAnswered c-1']);
      expect(bus.published[0]?.data).toMatchObject(refusal);
    });

    it('stays refused, although the state would accept it by now', async () => {
      const { start, ask, reopen } = await setting(open);
      const { run } = start();
      const enable = ask('EnableFlag', 'c-1');
      const { answer } = await run(enable);
      await run(ask('DisableFlag', 'c-2'));
      const later = start({ store: await reopen() });
      expect(await later.run(enable)).toMatchObject({ answer, repeated: true, version: 1 });
      expect(await later.run(ask('EnableFlag', 'c-3'))).toMatchObject({ version: 2 });
    });
  });

  describe('a command that was handled before', () => {
    it('is answered again, has no second effect, and nothing is published anew', async () => {
      const { start, ask, bus, reopen } = await setting(open);
      const command = ask('SetExposure', 'c-1');
      const { answer } = await start().run(command);
      const count = bus.published.length;
      const same = { answer, repeated: true, published: true, state: { changedBy: ['c-1'] } };
      expect(await start().run(command)).toMatchObject(same);
      const later = start({ store: await reopen() });
      expect(await later.run({ ...command })).toMatchObject(same);
      expect(bus.published).toHaveLength(count);
    });

    it('is known by source and id together', async () => {
      const { start, ask } = await setting(open);
      const { run } = start();
      await run(ask('SetExposure', 'c-1'));
      const other = await run(ask('SetExposure', 'c-1', {}, 'ci'));
      expect(other).toMatchObject({ repeated: false, version: 2 });
    });

    it('has what it owes published, if the bus did not take it the first time', async () => {
      const { start, ask, bus } = await setting(open);
      const { run } = start();
      const command = ask('SetExposure', 'c-1');
      bus.down.add('*');
      expect(await run(command)).toMatchObject({ repeated: false, published: false });
      expect(await run(command)).toMatchObject({ repeated: true, published: false });
      bus.down.clear();
      expect(await run(command)).toMatchObject({ repeated: true, published: true });
      expect(told(bus.published)).toEqual([
        'FlagChanged c-1',
        'FlagCommandAnswered c-1',
        'FlagState c-1',
      ]);
    });

    it('is remembered through 255 others, not through 256', async () => {
      const { start, ask } = await setting(open);
      const { run } = start();
      const first = ask('SetExposure', 'c-0');
      await run(first);
      for (let n = 1; n <= 255; n += 1) await run(ask('SetExposure', `c-${n}`));
      expect(await run(first)).toMatchObject({ repeated: true, version: 256 });
      await run(ask('SetExposure', 'c-256'));
      expect(await run(first)).toMatchObject({ repeated: false, version: 258 });
    });
  });

  describe('an old command', () => {
    it('is refused once it is past the age at which acting on it would be wrong', async () => {
      const { start, ask, clock, bus } = await setting(open);
      const { run } = start();
      const [inTime, late] = [ask('SetExposure', 'c-1'), ask('SetExposure', 'c-2')];
      clock.advance(10 * MINUTES);
      expect(await run(inTime)).toMatchObject({ answer: { outcome: 'changed' } });
      clock.advance(1);
      expect(await run(late)).toMatchObject({
        answer: { outcome: 'refused', code: 'COMMAND_EXPIRED' },
        version: 1,
      });
      expect(bus.published.at(-1)?.data).toMatchObject({ code: 'COMMAND_EXPIRED' });
    });

    it('is still carried out if it is a kill', async () => {
      const { start, ask, clock } = await setting(open);
      const kill = ask('DisableFlag', 'c-1');
      clock.advance(100_000 * MINUTES);
      expect(await start().run(kill)).toMatchObject({ answer: { outcome: 'changed' } });
    });

    it('is answered as it was, if it was handled in time', async () => {
      const { start, ask, clock } = await setting(open);
      const { run } = start();
      const command = ask('SetExposure', 'c-1');
      const { answer } = await run(command);
      clock.advance(11 * MINUTES);
      expect(await run(command)).toMatchObject({ answer, repeated: true });
    });
  });

  describe('a tick', () => {
    it('that changes nothing is not saved and answers nobody', async () => {
      const { start, ask, bus } = await setting(open);
      const { run, aggregate } = start();
      await run(ask('SetExposure', 'c-1'));
      const before = await aggregate.documents.load(ID);
      const count = bus.published.length;
      expect(await run(ask('Check', 't-1'))).toMatchObject({ answer: { outcome: 'unchanged' } });
      expect(await aggregate.documents.load(ID)).toEqual(before);
      expect(bus.published).toHaveLength(count);
    });

    it('pushes no mark out, however often it changes something', async () => {
      const { start, ask } = await setting(open);
      const { run, aggregate } = start();
      const command = ask('SetExposure', 'c-1');
      await run(command);
      for (let n = 1; n <= 300; n += 1) await run(ask('Check', `t-${n}`, { note: 'work' }));
      expect(await run(command)).toMatchObject({ repeated: true, version: 301 });
      expect((await aggregate.documents.load(ID))?.handled).toHaveLength(1);
    });
  });

  describe('the version a client holds', () => {
    it('is not disturbed by refusals, repetitions, commands that change nothing, or the relay', async () => {
      const { start, ask, bus } = await setting(open);
      const { run, relay, aggregate } = start();
      bus.down.add('*');
      const command = ask('DisableFlag', 'c-1');
      const { version } = await run(command);
      await run(command);
      await run(ask('DisableFlag', 'c-2'));
      await run(ask('SetExposure', 'c-3', { fence: -1 }));
      bus.down.clear();
      await relay();
      expect((await aggregate.documents.load(ID))?.version).toBe(version);
      expect(await run(ask('EnableFlag', 'c-4'))).toMatchObject({ version: version + 1 });
    });
  });

  describe('many writers', () => {
    it('are all counted, each once, in two processes over one store', async () => {
      const { start, ask } = await setting(open);
      const processes = [start(), start()];
      const commands = Array.from({ length: 40 }, (_, n) => ask('SetExposure', `c-${n}`));
      // Each command is delivered to both.
      const outcomes = await Promise.all(
        commands.flatMap((command) => processes.map(({ run }) => run(command))),
      );
      expect(outcomes.filter(({ repeated }) => repeated)).toHaveLength(40);
      const document = await processes[0]?.aggregate.documents.load(ID);
      expect(document?.version).toBe(40);
      expect(document?.state.changedBy.toSorted()).toEqual(
        commands.map(({ metadata }) => metadata.id).toSorted(),
      );
    });

    it('give up after twenty conflicts, with an error that may be retried', async () => {
      const { store, start, ask, clock, bus } = await setting(open);
      const documents = store.documents(flags);
      let saves = 0;
      const contended: Documents<SampleFlag> = {
        name: documents.name,
        epoch: documents.epoch,
        load: (id) => documents.load(id),
        save: async () => {
          saves += 1;
          throw new AppError('STORE_VERSION_CONFLICT', 'Too late.', { retryable: true });
        },
        clear: (id, seqs) => documents.clear(id, seqs),
        owing: (limit) => documents.owing(limit),
        list: (query) => documents.list(query),
        claimDue: (...when) => documents.claimDue(...when),
      };
      const outbox = createOutbox({ publish: bus.publish, faults: noFaults });
      const ids = { next: () => 'id' };
      const execute = createExecute({ outbox, ids, clock, source: 'spec', faults: noFaults });
      const aggregate = { ...start().aggregate, documents: contended };
      await expect(execute(aggregate, ID, ask('SetExposure', 'c-1'))).rejects.toMatchObject({
        code: 'STORE_VERSION_CONFLICT',
        retryable: true,
      });
      expect(saves).toBe(20);
    });

    it('under a lease are refused when a later holder has written', async () => {
      const { store, clock, start, ask } = await setting(open);
      const { run } = start();
      const old = await store.leases.claim('run-1', 'runner-a', 1_000);
      await run(ask('SetExposure', 'c-1', { fence: Number(old) }));
      clock.advance(1_000);
      const next = await store.leases.claim('run-1', 'runner-b', 1_000);
      await run(ask('SetExposure', 'c-2', { fence: Number(next) }));
      expect(await run(ask('SetExposure', 'c-3', { fence: Number(old) }))).toMatchObject({
        answer: { outcome: 'refused', code: 'RUN_FENCED' },
        state: { changedBy: ['c-1', 'c-2'] },
      });
    });
  });

  describe('what cannot be saved', () => {
    it.each([
      ['a draft of no known type', 'Mistake', {}, 'STORE_FAILED'],
      [
        'a message too large for the bus',
        'SetExposure',
        { note: 'x'.repeat(2 ** 21) },
        'STORE_DOCUMENT_TOO_LARGE',
      ],
    ])('leaves nothing behind: %s', async (_what, type, data, code) => {
      const { start, ask, bus } = await setting(open);
      const { run, aggregate } = start();
      await expect(run(ask(type, 'c-1', data))).rejects.toMatchObject({ code, retryable: false });
      expect(await aggregate.documents.load(ID)).toBeUndefined();
      expect(bus.published).toEqual([]);
      expect(await run(ask('SetExposure', 'c-2'))).toMatchObject({ version: 1 });
    });
  });
}
