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
export { type Aggregate, type Execute, type Outcome } from './execute.port.ts';
export { type FaultPoint, faultPoints, type Faults } from './faults.port.ts';
export { type Leases } from './leases.port.ts';
export { type Entry, type Projection } from './projection.port.ts';
export { type Store } from './store.port.ts';
