import { documentsContract } from './documents.contract.ts';
import { filtersContract } from './filters.contract.ts';
import { schemaContract } from './schema.contract.ts';
import { writesContract } from './writes.contract.ts';
import type { TargetKind } from './world.contract.ts';

/** What the port promises, of every adapter. */
export function targetContract(kind: TargetKind): void {
  documentsContract(kind);
  filtersContract(kind);
  writesContract(kind);
  schemaContract(kind);
}
