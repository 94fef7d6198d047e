export {
  type Change,
  type Collection,
  type Document,
  type Documents,
  type Index,
  type Mark,
  type OutboxEntry,
} from './documents.port.ts';
export { type StoreErrorCode, storeErrorCodes } from './errors.ts';
export { createExecute, type ExecuteOptions } from './execute.handler.ts';
export { type Aggregate, type Execute, type Outcome } from './execute.port.ts';
export { type FaultPoint, type Faults, noFaults, writePoints } from './faults.port.ts';
export { type Leases } from './leases.port.ts';
export {
  createOutbox,
  type Outbox,
  type OutboxFailure,
  type OutboxOptions,
} from './outbox.handler.ts';
export { type Entry, type Projection } from './projection.port.ts';
export { type Restores, restoresOf } from './restores.handler.ts';
export {
  readStoreUrl,
  type SqliteUrl,
  sqliteUrl,
  storeAddress,
  type StoreUrl,
} from './store-url.ts';
export { type Relayed } from './relay.handler.ts';
export { nameFailure as nameMongoFailure } from './failure.mongo.ts';
export { type MongoStore, type MongoStoreOptions, openMongoStore } from './store.mongo.ts';
export { type Store } from './store.port.ts';
export { openSqliteStore, type SqliteStore, type SqliteStoreOptions } from './store.sqlite.ts';
