import type { Migrations } from '@tidegate/migration/files';
import type { Entry, Projection } from '@tidegate/store';
import { unpressed, zstd } from '../journal/images.ts';
import type { Quarantined } from '../journal/quarantine.handler.ts';
import { shown } from '../report/shown.ts';
import type { Target, Targets } from '../target/target.port.ts';

/** A document that a run left as it was: which, why, and what was in it then. */
export interface ShownQuarantined extends Omit<Quarantined, 'document'> {
  /** In ms since 1970. */
  readonly at: number;
  readonly document?: ReturnType<typeof shown>;
}

/** Of one migration, oldest first. */
export type ListQuarantined = (
  migration: string,
  page: { readonly after?: number | undefined; readonly limit: number },
) => Promise<{ readonly items: readonly ShownQuarantined[]; readonly next?: string }>;

/** Copies can only be read as the kind of database wrote them: without the migration they are left out. */
export const createListQuarantined =
  (records: Projection<Quarantined>, migrations: Migrations, targets: Targets): ListQuarantined =>
  async (migration, { after, limit }) => {
    const entries = await records.read(migration, {
      limit,
      ...(after === undefined ? {} : { after }),
    });
    const name = migrations.get(migration)?.migration.target;
    const hasCopies = entries.some(({ record }) => record.document !== undefined);
    const target = name !== undefined && hasCopies ? await targets.open(name, 'read') : undefined;
    try {
      const items = await Promise.all(entries.map((entry) => shownEntry(entry, target)));
      const last = entries.at(-1);
      return last && entries.length >= limit ? { items, next: String(last.version) } : { items };
    } finally {
      await target?.close();
    }
  };

async function shownEntry(
  { at, record }: Entry<Quarantined>,
  target: Pick<Target, 'unpack'> | undefined,
): Promise<ShownQuarantined> {
  const { document, ...failure } = record;
  if (document === undefined || !target) return { at, ...failure };
  const [row] = target.unpack(await unpressed(zstd, [document]));
  return { at, ...failure, document: shown(row) };
}
