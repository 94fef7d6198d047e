import { randomUUID } from 'node:crypto';
import mongoose from 'mongoose';
import { openMongoStore } from '@tidegate/store';
import { openServer } from '../servers/servers.ts';
import type { Bench } from './main.ts';
import {
  answer,
  type Change,
  key,
  measure,
  message,
  nextId,
  type State,
  state,
  type Subject,
  tidegate,
  warmUp,
} from './store.changes.ts';

const MARKS = 256;

/** Few, for the sake of time; what a document remembers is the same for both. */
const CHANGES_BEFORE = 16;

interface Bare {
  readonly _id: string;
  readonly token: number;
  readonly state: string;
  readonly marks: string;
  readonly count: number;
  readonly owes: boolean;
  readonly outbox: Readonly<Record<string, string>>;
}

/**
 * The same compare-and-set as one would write it with mongoose: load, look whether it was handled, replace state and
 * marks with the messages beside them if the token is still the same, take the messages out again.
 */
async function bare(url: string, prefix: string): Promise<Subject> {
  const connection = await mongoose
    .createConnection(url, { writeConcern: { w: 'majority', journal: true } })
    .asPromise();
  const schema = new mongoose.Schema<Bare>(
    {
      _id: String,
      token: Number,
      state: String,
      marks: String,
      count: { type: Number, index: true },
      owes: { type: Boolean, index: true },
      outbox: mongoose.Schema.Types.Mixed,
    },
    { collection: `${prefix}bare`, versionKey: false, minimize: false },
  );
  const documents = connection.model<Bare>('Bare', schema);
  await documents.init();

  const put = async (_id: string, n: number, found: Bare | undefined, next: State) => {
    const [token, id] = [found?.token ?? 0, nextId()];
    const marks = JSON.parse(found?.marks ?? '[]') as { id: string }[];
    if (marks.some((mark) => mark.id === id)) throw new Error('An id was made twice.');
    const kept = [...marks, { source: 'bench', id, answer }].slice(-MARKS);
    const outbox = Object.fromEntries(
      ['FlagDisabled', 'FlagCommandAnswered'].map((type, place) => [
        String(2 * token + place),
        JSON.stringify(message(n, type)),
      ]),
    );
    const parts = {
      token: token + 1,
      state: JSON.stringify(next),
      marks: JSON.stringify(kept),
      count: next.count,
      owes: true,
    };
    if (found) {
      const owed = Object.entries(outbox).map(([seq, text]) => [`outbox.${seq}`, text]);
      const { matchedCount } = await documents.updateOne(
        { _id, token },
        { $set: { ...parts, ...Object.fromEntries(owed) } },
      );
      if (matchedCount !== 1) throw new Error('Somebody else saved it.');
    } else await documents.create({ _id, ...parts, outbox });
    const seqs = Object.keys(outbox).map((seq) => [`outbox.${seq}`, '']);
    await documents.updateOne({ _id }, { $unset: Object.fromEntries(seqs), $set: { owes: false } });
    return { _id, ...parts, outbox: {} };
  };

  const saved = new Map<number, Bare>();
  const save: Change = async (n) => {
    const found = saved.get(n);
    saved.set(n, await put(key(n), n, found, state(found?.token ?? 0)));
  };
  const execute: Change = async (n) => {
    const _id = `executed/${key(n)}`;
    const found = (await documents.findById(_id).lean()) ?? undefined;
    const { count } = found ? (JSON.parse(found.state) as State) : state(0);
    await put(_id, n, found, state(count + 1));
  };
  return { save, execute, close: () => connection.close() };
}

/** On the MongoDB of the environment, or else on the one that the tests use. */
const bench: Bench = async (report) => {
  const server = await openServer('mongodb');
  const prefix = `bench-${randomUUID().slice(0, 8)}.`;
  const { url } = server;
  const ours = tidegate(await openMongoStore({ url, clock: { now: Date.now }, prefix }));
  const theirs = await bare(url, prefix);
  await warmUp([ours, theirs], CHANGES_BEFORE);
  await measure(report, { tidegate: ours, mongoose: theirs });
  await ours.close();
  await theirs.close();
  await server.stop();
};
export default bench;
