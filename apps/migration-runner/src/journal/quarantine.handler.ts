import type { FailedDocument } from '@tidegate/contracts';
import type { Clock } from '@tidegate/kernel';
import type { Row } from '@tidegate/migration';
import type { Projection } from '@tidegate/store';
import { type Compression, pressed, zstd } from './images.ts';
import type { Packing } from './journal.port.ts';

/** A document that a run left as it was, with what it was then. */
export interface Quarantined extends FailedDocument {
  readonly run: string;
  /** Packed by the target, zstd, base64; left out: no copy was taken, or it is too large. */
  readonly document?: string;
}

/** Documents that failed, by migration. */
export interface Quarantine {
  /** Durable when it resolves; safe to repeat. @param copies of the documents, in their order */
  add(
    of: { readonly migration: string; readonly run: string },
    failures: readonly FailedDocument[],
    copies?: { readonly packing: Packing; readonly rows: readonly Row[] },
  ): Promise<void>;
}

/** Of text; a larger document stays where it is, without a copy. */
const LARGEST_COPY = 6 * 1_048_576;

export const createQuarantine = (
  records: Projection<Quarantined>,
  { clock, compression = zstd }: { readonly clock: Clock; readonly compression?: Compression },
): Quarantine => ({
  async add({ migration, run }, failures, copies) {
    const entries = failures.map(async (failure, place) => {
      const row = copies?.rows[place];
      const texts = row ? await pressed(compression, copies.packing.pack([row]), LARGEST_COPY) : [];
      const document = texts.length === 1 ? texts[0] : undefined;
      return {
        id: migration,
        version: clock.now(),
        key: JSON.stringify([run, failure.key]),
        at: clock.now(),
        record: { ...failure, run, ...(document === undefined ? {} : { document }) },
      };
    });
    await records.append(await Promise.all(entries));
  },
});
