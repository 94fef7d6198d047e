import mongoose, { type mongo } from 'mongoose';
import { openServer } from '../servers/servers.ts';
import { type Order, orderOf, up } from './migration.data.ts';
import { type Database, inGroups } from './migration.database.ts';

interface Kept extends Order {
  readonly _id: mongo.BSON.ObjectId;
}

/** As drivers make them: by the time in seconds, the process and a counter. */
const idOf = (n: number): mongo.BSON.ObjectId =>
  new mongoose.mongo.BSON.ObjectId(
    `${(1_600_000_000 + 7 * n).toString(16)}a1b2c3d4e5${n.toString(16).padStart(6, '0')}`,
  );

/** On the MongoDB of the environment, or else on a server that the tests use. */
export async function openMongo(): Promise<Database> {
  const server = await openServer('mongodb', process.env['MONGODB_URL'] ? {} : { own: true });
  const connection = await mongoose
    .createConnection(server.url, { writeConcern: { w: 'majority', journal: true } })
    .asPromise();
  const orders = connection.getClient().db(connection.name).collection<Kept>('orders');
  return {
    url: server.url,
    load: async (documents, kilobytes) => {
      await orders.drop().catch(() => undefined); // it is not there the first time
      await inGroups(
        documents,
        (n) => orderOf(n, kilobytes),
        async (first, each) =>
          void (await orders.insertMany(
            each.map((order, index) => ({ _id: idOf(first + index), ...order })),
          )),
      );
    },
    bare: (pageSize) => bare(orders, pageSize),
    read: (n) => orders.findOne({ _id: idOf(n) }),
    pending: () => orders.countDocuments({ total: null }),
    close: async () => {
      await connection.close();
      await server.stop();
    },
  };
}

async function bare(orders: mongo.Collection<Kept>, pageSize: number): Promise<number> {
  let changed = 0;
  for (let after: mongo.BSON.ObjectId | undefined; ;) {
    const page = await orders
      .find({ ...(after ? { _id: { $gt: after } } : {}), total: null }, { batchSize: pageSize + 1 })
      .sort({ _id: 1 })
      .limit(pageSize)
      .toArray();
    const last = page.at(-1);
    if (!last) return changed;
    const { modifiedCount } = await orders.bulkWrite(
      page.map((order) => {
        const { total, stage } = up(order as Kept);
        return { updateOne: { filter: { _id: order._id }, update: { $set: { total, stage } } } };
      }) as mongo.AnyBulkWriteOperation<Kept>[],
      { ordered: false },
    );
    changed += modifiedCount;
    after = last._id;
  }
}
