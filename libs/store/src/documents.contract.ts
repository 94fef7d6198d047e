import { describe, expect, it } from '@jest/globals';
import type { OutgoingMessage } from '@tidegate/contracts';
import type { Change, Collection, Documents, Mark } from './documents.port.ts';
import type { Open } from './store.contract.ts';

interface Ship {
  readonly name: string;
  readonly port?: string | undefined;
  readonly sails?: number | string | boolean | undefined;
  readonly dueAt?: number | undefined;
}

const ships: Collection<Ship> = {
  name: 'ships',
  schemaVersion: 1,
  index: ({ port, sails, dueAt }) => ({ port, sails, dueAt }),
};

const message = (id: string, topic = 'flag.events', data: unknown = {}): OutgoingMessage => ({
  type: 'FlagDisabled',
  key: 'production/checkout',
  topic,
  data,
  metadata: { id, source: 'spec', at: 1_000, actor: 'spec', correlationId: 'c-1' },
});

const mark = (id: string): Mark => ({
  source: 'spec',
  id,
  answer: { outcome: 'changed', version: 1 },
});

const change = (state: Ship, rest: Partial<Change<Ship>> = {}): Change<Ship> => ({
  state,
  version: 1,
  outbox: [],
  ...rest,
});

const seqs = (documents: Documents<Ship>, id: string) =>
  documents.load(id).then((found) => found?.outbox.map(({ seq }) => seq));

export function documentsContract(open: Open): void {
  describe('saving and loading', () => {
    it('has nothing under an id that was never saved', async () => {
      const { store } = await open();
      expect(await store.documents(ships).load('ark')).toBeUndefined();
    });

    it('gives back what was saved, all of it, also to the next process', async () => {
      const { store, reopen } = await open();
      const sent = [message('m-1', 'kills'), message('m-2')];
      const saved = await store
        .documents(ships)
        .save('ark', change({ name: 'Ark' }, { version: 4, mark: mark('c-1'), outbox: sent }), 0);
      expect(saved).toEqual({
        id: 'ark',
        epoch: 1,
        version: 4,
        token: 1,
        state: { name: 'Ark' },
        handled: [mark('c-1')],
        outbox: [
          { seq: 1, message: sent[0] },
          { seq: 2, message: sent[1] },
        ],
      });
      expect(await store.documents(ships).load('ark')).toEqual(saved);
      expect(await (await reopen()).documents(ships).load('ark')).toEqual(saved);
    });

    it('keeps what need not be durable like everything else, also for the next process', async () => {
      const { store, reopen } = await open();
      const boats: Collection<Ship> = { ...ships, name: 'boats', durable: false };
      const documents = store.documents(boats);
      await documents.save('ark', change({ name: 'Ark' }), 0);
      await expect(documents.save('ark', change({ name: 'Ark' }), 0)).rejects.toMatchObject({
        code: 'STORE_VERSION_CONFLICT',
      });
      await documents.save('ark', change({ name: 'Ark 2' }), 1);
      const found = await (await reopen()).documents(boats).load('ark');
      expect(found).toMatchObject({ token: 2, state: { name: 'Ark 2' } });
    });

    it('counts every save in the token, and takes the version as given', async () => {
      const { store } = await open();
      const documents = store.documents(ships);
      await documents.save('ark', change({ name: 'Ark' }), 0);
      const again = await documents.save('ark', change({ name: 'Ark' }), 1);
      expect(again).toMatchObject({ version: 1, token: 2 });
    });

    it('keeps what it was given, whatever the caller does with it afterwards', async () => {
      const { store } = await open();
      const documents = store.documents(ships);
      const state = { name: 'Ark' };
      const saving = documents.save('ark', change(state), 0);
      state.name = 'Raft';
      await saving;
      expect((await documents.load('ark'))?.state.name).toBe('Ark');
    });

    it('keeps collections apart', async () => {
      const { store } = await open();
      await store
        .documents(ships)
        .save('ark', change({ name: 'Ark' }, { outbox: [message('1')] }), 0);
      const other = store.documents({ ...ships, name: 'boats' });
      expect(await other.load('ark')).toBeUndefined();
      expect(await other.list({ limit: 10 })).toEqual([]);
      expect(await other.owing(10)).toEqual([]);
      await expect(other.save('ark', change({ name: 'Boat' }), 0)).resolves.toBeDefined();
    });

    it('shows documents as of the present epoch once it was raised', async () => {
      const { store, reopen } = await open();
      await store.documents(ships).save('ark', change({ name: 'Ark' }, { version: 7 }), 0);
      const documents = (await reopen({ raiseEpoch: true })).documents(ships);
      expect(documents.epoch).toBe(2);
      expect(await documents.load('ark')).toMatchObject({ epoch: 2, version: 7 });
    });
  });

  describe('concurrent writers', () => {
    it('lets one of ten win, and none of them spoils what others save at the same time', async () => {
      const { store } = await open();
      const documents = store.documents(ships);
      await documents.save('ark', change({ name: 'Ark' }), 0);
      const writers = Array.from({ length: 10 }, (_, n) =>
        documents.save(
          'ark',
          change({ name: `Ark ${n}` }, { mark: mark(`c-${n}`), outbox: [message(`m-${n}`)] }),
          1,
        ),
      );
      const others = Array.from({ length: 10 }, (_, n) =>
        documents.save(`other-${n}`, change({ name: 'Other' }), 0),
      );
      const results = await Promise.allSettled(writers);
      await expect(Promise.all(others)).resolves.toHaveLength(10);
      const won = results.flatMap((each, n) => (each.status === 'fulfilled' ? [n] : []));
      const lost = results.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
      expect(won).toHaveLength(1);
      for (const reason of lost)
        expect(reason).toMatchObject({ code: 'STORE_VERSION_CONFLICT', retryable: true });
      const found = await documents.load('ark');
      expect(found?.token).toBe(2);
      expect(found?.state.name).toBe(`Ark ${won[0]}`);
      expect(found?.handled).toEqual([mark(`c-${won[0]}`)]);
      expect(found?.outbox.map((entry) => entry.message.metadata.id)).toEqual([`m-${won[0]}`]);
    });

    it('takes thousands of saves at once', async () => {
      const { store } = await open();
      const documents = store.documents(ships);
      const saves = Array.from({ length: 2_500 }, (_, n) =>
        documents.save(`ship-${n}`, change({ name: 'Ship' }), 0),
      );
      await Promise.all(saves);
      expect(await documents.list({ limit: 5_000 })).toHaveLength(2_500);
    });

    it.each([
      ['a token that never was', 'ark', 9],
      ['as new, a document that is there', 'ark', 0],
      ['as known, a document that is not there', 'raft', 1],
    ])('refuses to save with %s', async (_what, id, token) => {
      const { store } = await open();
      const documents = store.documents(ships);
      await documents.save('ark', change({ name: 'Ark' }), 0);
      await expect(documents.save(id, change({ name: 'Late' }), token)).rejects.toMatchObject({
        code: 'STORE_VERSION_CONFLICT',
        retryable: true,
      });
      expect((await documents.load('ark'))?.state.name).toBe('Ark');
      expect(await documents.load('raft')).toBeUndefined();
    });
  });

  describe('handled marks', () => {
    it('keeps the last 256, oldest first: the 257th drops the oldest', async () => {
      const { store, reopen } = await open();
      const documents = store.documents(ships);
      for (let n = 0; n < 257; n += 1)
        await documents.save('ark', change({ name: 'Ark' }, { mark: mark(`c-${n}`) }), n);
      const saved = await documents.save('ark', change({ name: 'Ark' }), 257);
      expect(saved.handled).toHaveLength(256);
      expect(saved.handled[0]).toEqual(mark('c-1'));
      expect(saved.handled.at(-1)).toEqual(mark('c-256'));
      const found = await (await reopen()).documents(ships).load('ark');
      expect(found?.handled).toEqual(saved.handled);
    });
  });

  describe('the outbox', () => {
    it('numbers on, also after everything was cleared', async () => {
      const { store } = await open();
      const documents = store.documents(ships);
      const two = { outbox: [message('m-1'), message('m-2')] };
      await documents.save('ark', change({ name: 'Ark' }, two), 0);
      await documents.clear('ark', [1, 2]);
      expect(await seqs(documents, 'ark')).toEqual([]);
      await documents.save('ark', change({ name: 'Ark' }, two), 1);
      expect(await seqs(documents, 'ark')).toEqual([3, 4]);
    });

    it('clears what it is told to and nothing else: version, token, marks and the rest stay', async () => {
      const { store } = await open();
      const documents = store.documents(ships);
      const outbox = [message('m-1'), message('m-2'), message('m-3')];
      const saved = await documents.save(
        'ark',
        change({ name: 'Ark' }, { outbox, mark: mark('c-1') }),
        0,
      );
      await documents.clear('ark', [2, 77]);
      expect(await documents.load('ark')).toEqual({
        ...saved,
        outbox: saved.outbox.filter(({ seq }) => seq !== 2),
      });
      await expect(documents.save('ark', change({ name: 'Ark' }), 1)).resolves.toBeDefined();
    });

    it('can be cleared twice, and where there is no document', async () => {
      const { store } = await open();
      const documents = store.documents(ships);
      await documents.save('ark', change({ name: 'Ark' }, { outbox: [message('m-1')] }), 0);
      await documents.clear('ark', [1]);
      await documents.clear('ark', [1]);
      await documents.clear('raft', [1]);
      expect(await documents.owing(10)).toEqual([]);
    });

    it('names those that owe: kills first, then longest owing first', async () => {
      const { store, clock, reopen } = await open();
      const documents = store.documents(ships);
      const owe = (id: string, ...outbox: OutgoingMessage[]) => {
        clock.advance(1);
        return documents.save(id, change({ name: id }, { outbox }), 0);
      };
      await owe('first', message('m-1'), message('m-2'));
      await owe('second', message('m-3'));
      await owe('nothing');
      await owe('urgent', message('m-4'), message('m-5', 'kills'));
      expect(await documents.owing(10)).toEqual(['urgent', 'first', 'second']);
      expect(await documents.owing(2)).toEqual(['urgent', 'first']);
      await documents.clear('urgent', [2]);
      await documents.clear('first', [1]);
      expect(await documents.owing(10)).toEqual(['first', 'second', 'urgent']);
      await documents.clear('first', [2]);
      expect(await (await reopen()).documents(ships).owing(10)).toEqual(['second', 'urgent']);
    });
  });

  describe('size limits', () => {
    const text = (bytes: number) => 'x'.repeat(bytes);
    const MB = 1_048_576;

    it('takes a state of nearly 8 MB and a message with 1 MB of data', async () => {
      const { store } = await open();
      const documents = store.documents(ships);
      const outbox = [message('m-1', 'flag.events', text(MB - 2))];
      await documents.save('ark', change({ name: text(8 * MB - 100) }, { outbox }), 0);
      expect((await documents.load('ark'))?.state.name).toHaveLength(8 * MB - 100);
      expect((await documents.load('ark'))?.outbox).toHaveLength(1);
    });

    it.each([
      ['a state', { state: { name: text(8 * MB) } }],
      ['a state that is large in UTF-8 only', { state: { name: '€'.repeat(3 * MB) } }],
      ['a message', { outbox: [message('m-1', 'flag.events', text(MB + 16_384))] }],
    ])('refuses %s over its limit, with the size, and writes nothing', async (_what, part) => {
      const { store } = await open();
      const documents = store.documents(ships);
      await expect(documents.save('ark', change({ name: 'Ark' }, part), 0)).rejects.toMatchObject({
        code: 'STORE_DOCUMENT_TOO_LARGE',
        retryable: false,
        data: { bytes: expect.any(Number), limit: expect.any(Number) },
      });
      expect(await documents.load('ark')).toBeUndefined();
    });
  });

  describe('lists', () => {
    const fleet: readonly (readonly [string, Ship])[] = [
      ['d', { name: 'D', port: 'Kiel', sails: 1 }],
      ['a', { name: 'A', port: 'Kiel', sails: '1' }],
      ['c', { name: 'C', port: 'Bergen', sails: true }],
      ['b', { name: 'B', port: 'Kiel' }],
    ];
    const launch = async () => {
      const { store } = await open();
      const documents = store.documents(ships);
      for (const [id, ship] of fleet) await documents.save(id, change(ship), 0);
      return documents;
    };
    const ids = (found: readonly { id: string }[]) => found.map(({ id }) => id);

    it('come in order of id, page by page, each document once', async () => {
      const documents = await launch();
      const pages: string[][] = [];
      for (let after: string | undefined; ; after = pages.at(-1)?.at(-1)) {
        const page = await documents.list({ after, limit: 3 });
        if (page.length === 0) break;
        pages.push(ids(page));
      }
      expect(pages).toEqual([['a', 'b', 'c'], ['d']]);
    });

    it('hold whole documents', async () => {
      const documents = await launch();
      const [first] = await documents.list({ limit: 1 });
      expect(first).toEqual(await documents.load('a'));
    });

    it.each([
      [{ port: 'Kiel' }, ['a', 'b', 'd']],
      [{ port: 'Kiel', sails: 1 }, ['d']],
      [{ sails: '1' }, ['a']],
      [{ sails: true }, ['c']],
      [{ port: 'Oslo' }, []],
      [{ port: undefined, sails: true }, ['c']],
      [{ nothing: 'x' }, []],
      [{ '"odd. name': 'x' }, []],
    ])('filter by %j', async (where, expected) => {
      const documents = await launch();
      expect(ids(await documents.list({ where, limit: 10 }))).toEqual(expected);
    });

    it('follow a document that moves', async () => {
      const documents = await launch();
      await documents.save('d', change({ name: 'D', port: 'Oslo' }), 1);
      expect(ids(await documents.list({ where: { port: 'Oslo' }, limit: 10 }))).toEqual(['d']);
      expect(ids(await documents.list({ where: { port: 'Kiel' }, limit: 10 }))).toEqual(['a', 'b']);
    });
  });

  describe('due work', () => {
    const launch = async (...dueAt: (number | undefined)[]) => {
      const { store, reopen } = await open();
      const documents = store.documents(ships);
      for (const [n, due] of dueAt.entries())
        await documents.save(`ship-${n}`, change({ name: 'Ship', dueAt: due }), 0);
      return { documents, reopen };
    };

    it('is what has come due, longest first, as much as asked for', async () => {
      const { documents } = await launch(300, 100, undefined, 200, 1_001);
      expect(await documents.claimDue(1_000, 50, 2)).toEqual(['ship-1', 'ship-3']);
      expect(await documents.claimDue(1_000, 50, 10)).toEqual(['ship-0']);
    });

    it('is given to one of two who ask at the same time', async () => {
      const { documents } = await launch(...Array.from({ length: 20 }, (_, n) => n));
      const [one, other] = await Promise.all([
        documents.claimDue(1_000, 50, 15),
        documents.claimDue(1_000, 50, 15),
      ]);
      expect(new Set([...one, ...other]).size).toBe(20);
      expect(one.length + other.length).toBe(20);
    });

    it('can be claimed again when the claim has run out', async () => {
      const { documents } = await launch(100);
      await documents.claimDue(1_000, 50, 1);
      expect(await documents.claimDue(1_049, 50, 1)).toEqual([]);
      expect(await documents.claimDue(1_050, 50, 1)).toEqual(['ship-0']);
    });

    it('is released by a save, and only by a save', async () => {
      const { documents } = await launch(100);
      await documents.claimDue(1_000, 50, 1);
      await documents.clear('ship-0', [1]);
      expect(await documents.claimDue(1_001, 50, 1)).toEqual([]);
      await documents.save('ship-0', change({ name: 'Ship', dueAt: 100 }), 1);
      expect(await documents.claimDue(1_001, 50, 1)).toEqual(['ship-0']);
    });

    it('leaves version and token alone', async () => {
      const { documents } = await launch(100);
      const before = await documents.load('ship-0');
      await documents.claimDue(1_000, 50, 1);
      expect(await documents.load('ship-0')).toEqual(before);
    });

    it('is due no more when a save took its time away', async () => {
      const { documents } = await launch(100);
      await documents.save('ship-0', change({ name: 'Ship' }), 1);
      expect(await documents.claimDue(1_000, 50, 1)).toEqual([]);
    });
  });

  describe('schema versions', () => {
    interface NewShip {
      readonly title: string;
      readonly harbour: string;
    }
    const first: Collection<{ name: string }> = { ...ships, index: ({ name }) => ({ name }) };
    const second: Collection<{ title: string }> = {
      name: 'ships',
      schemaVersion: 2,
      upgrade: { 1: (state) => ({ title: (state as { name: string }).name }) },
      index: ({ title }) => ({ title }),
    };
    const third: Collection<NewShip> = {
      name: 'ships',
      schemaVersion: 3,
      upgrade: {
        ...second.upgrade,
        2: (state) => ({ ...(state as { title: string }), harbour: 'Kiel' }),
      },
      index: ({ harbour }) => ({ harbour, dueAt: 10 }),
    };
    const plain = { version: 1, outbox: [] };

    it('upgrades a state from every older one, and leaves version and token alone', async () => {
      const { store, reopen } = await open();
      await store.documents(first).save('a', { ...plain, state: { name: 'A' } }, 0);
      await (await reopen()).documents(second).save('b', { ...plain, state: { title: 'B' } }, 0);
      const documents = (await reopen()).documents(third);
      await documents.save('c', { ...plain, state: { title: 'C', harbour: 'Oslo' } }, 0);
      for (const [id, title, harbour] of [
        ['a', 'A', 'Kiel'],
        ['b', 'B', 'Kiel'],
        ['c', 'C', 'Oslo'],
      ] as const)
        expect(await documents.load(id)).toMatchObject({
          version: 1,
          token: 1,
          state: { title, harbour },
        });
    });

    it('finds an old document by the fields of the present version', async () => {
      const { store, reopen } = await open();
      await store.documents(first).save('a', { ...plain, state: { name: 'A' } }, 0);
      const documents = (await reopen()).documents(third);
      expect(await documents.list({ where: { harbour: 'Kiel' }, limit: 1 })).toHaveLength(1);
      expect(await documents.list({ where: { name: 'A' }, limit: 1 })).toEqual([]);
      expect(await documents.claimDue(10, 1, 1)).toEqual(['a']);
    });

    it('writes the present one, which an older release then refuses', async () => {
      const { store, reopen } = await open();
      await store.documents(first).save('a', { ...plain, state: { name: 'A' } }, 0);
      const documents = (await reopen()).documents(second);
      await documents.save('a', { ...plain, state: { title: 'B' } }, 1);
      expect((await documents.load('a'))?.state).toEqual({ title: 'B' });
      await expect((await reopen()).documents(first).load('a')).rejects.toMatchObject({
        code: 'STORE_SCHEMA_NEWER',
        retryable: false,
        message: expect.stringContaining('newer release'),
      });
    });

    it('names the document whose upgrade fails', async () => {
      const { store, reopen } = await open();
      await store.documents(first).save('a', { ...plain, state: { name: 'A' } }, 0);
      const broken = {
        ...second,
        upgrade: {
          1: () => {
            throw new Error('no title');
          },
        },
      };
      const again = await reopen();
      // At once, or when it is first used.
      const use = async () => again.documents(broken).load('b');
      await expect(use()).rejects.toMatchObject({
        code: 'STORE_FAILED',
        message: expect.stringContaining('ships/a'),
      });
    });

    it('refuses a collection that cannot upgrade every older one', async () => {
      const { store } = await open();
      expect(() => store.documents({ ...third, upgrade: {} })).toThrow(TypeError);
    });
  });
}
