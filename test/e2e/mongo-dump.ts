import { readFileSync, writeFileSync } from 'node:fs';
import { createConnection, mongo } from 'mongoose';

const { EJSON } = mongo.BSON;

type Dump = Readonly<Record<string, readonly mongo.BSON.Document[]>>;

/** Writes every document of the database to a file, as mongodump would while nobody writes. */
export async function dumpDatabase(url: string, file: string): Promise<void> {
  await withDatabase(url, async (database) => {
    const dump: Record<string, mongo.BSON.Document[]> = {};
    for (const { name } of await database.listCollections().toArray())
      dump[name] = await database.collection(name).find().toArray();
    writeFileSync(file, EJSON.stringify(dump, { relaxed: false }));
  });
}

/** Puts it back in place of everything that is there. */
export async function loadDatabase(url: string, file: string): Promise<void> {
  const dump = EJSON.parse(readFileSync(file, 'utf8'), { relaxed: false }) as Dump;
  await withDatabase(url, async (database) => {
    for (const { name } of await database.listCollections().toArray())
      await database.collection(name).deleteMany({}); // FerretDB 1 keeps the indexes of what is dropped
    for (const [name, documents] of Object.entries(dump))
      if (documents.length > 0) await database.collection(name).insertMany([...documents]);
  });
}

async function withDatabase(url: string, work: (database: mongo.Db) => Promise<void>) {
  const connection = await createConnection(url).asPromise();
  try {
    await work(connection.getClient().db(connection.name));
  } finally {
    await connection.close();
  }
}
