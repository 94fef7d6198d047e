import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { config, database, up } from 'migrate-mongo';

/** As its users write it: a cursor over what is to be done, and bulk writes of so many. */
const script = (pageSize: number) => `export const up = async (db) => {
  const orders = db.collection('orders');
  let writes = [];
  const flush = async () => {
    if (writes.length > 0) await orders.bulkWrite(writes, { ordered: false });
    writes = [];
  };
  for await (const order of orders.find({ total: null })) {
    const update = { $set: { total: order.quantity * order.price, stage: \`\${order.status}-1\` } };
    writes.push({ updateOne: { filter: { _id: order._id }, update } });
    if (writes.length === ${pageSize}) await flush();
  }
  await flush();
};
export const down = async () => undefined;
`;

/** A real run of migrate-mongo's \`up\`, which resolves with what it took, ms. */
export async function migrateMongo(folder: string, url: string, pageSize: number): Promise<number> {
  const migrationsDir = join(folder, 'migrate-mongo');
  await mkdir(migrationsDir, { recursive: true });
  await writeFile(join(migrationsDir, '20260101000000-orders.mjs'), script(pageSize));
  config.set({
    mongodb: {
      url,
      databaseName: new URL(url).pathname.slice(1),
      options: { writeConcern: { w: 'majority', journal: true } },
    },
    migrationsDir,
    changelogCollectionName: 'migrate_mongo_changelog',
    lockCollectionName: 'migrate_mongo_lock',
    lockTtl: 0,
    migrationFileExtension: '.mjs',
    useFileHash: false,
    moduleSystem: 'esm',
  });
  const { db, client } = await database.connect();
  try {
    await db.dropCollection('migrate_mongo_changelog').catch(() => undefined); // not there the first time
    const begun = performance.now();
    const done = await up(db, client);
    if (done.length !== 1) throw new Error(`migrate-mongo ran ${done.length} migrations`);
    return performance.now() - begun;
  } finally {
    await client.close();
  }
}
