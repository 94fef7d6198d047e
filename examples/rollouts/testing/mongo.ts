import { randomUUID } from 'node:crypto';
import mongoose from 'mongoose';
import { openServerIfAny } from '../../../test/servers/servers.ts';

export type Documents = mongoose.Collection;

/** A database of its own on a MongoDB-wire server; undefined where there is none. */
export interface MongoDatabase extends AsyncDisposable {
  readonly url: string;
  collection(name: string): Documents;
}

export const objectId = (hex: string): mongoose.Types.ObjectId => new mongoose.Types.ObjectId(hex);

export async function openMongoDatabase(): Promise<MongoDatabase | undefined> {
  const server = await openServerIfAny('mongodb');
  if (!server) return undefined;
  const url = new URL(server.url);
  url.pathname = `/rollouts_${randomUUID().slice(0, 8)}`;
  const connection = await mongoose.createConnection(url.href).asPromise();
  return {
    url: url.href,
    collection: (name) => connection.collection(name),
    [Symbol.asyncDispose]: async () => {
      await connection.dropDatabase();
      await connection.close();
      await server.stop();
    },
  };
}
