import type { Migrations } from '@tidegate/migration/files';
import type { Documents } from '@tidegate/store';
import type { Run } from '../run/run.ts';
import { concerned, type Known } from './readiness.ts';
import { type KnownRun, type Standing, standingOf } from './standing.ts';

const PAGE = 200;

export type Where = { readonly status: string } | { readonly migration: string };

/** All runs that are so. */
export async function runsWhere(
  documents: Pick<Documents<Run>, 'list'>,
  where: Where,
): Promise<readonly KnownRun[]> {
  const found: KnownRun[] = [];
  for (let after: string | undefined; ;) {
    const page = await documents.list({ where, after, limit: PAGE });
    for (const { id, state } of page) if (state.status !== 'absent') found.push({ id, run: state });
    after = page.at(-1)?.id;
    if (page.length < PAGE) return found;
  }
}

/** What the rules must know before a run of a migration begins, without the run itself. */
export const knownTo =
  (migrations: Migrations, runs: (where: Where) => Promise<readonly KnownRun[]>) =>
  async (migration: string, run: string): Promise<Known> => {
    const standings = new Map<string, Standing>();
    let own: readonly KnownRun[] = [];
    for (const id of concerned(migrations, migration)) {
      const others = (await runs({ migration: id })).filter((each) => each.id !== run);
      standings.set(id, standingOf(others));
      if (id === migration) own = others;
    }
    return { migrations, standings, others: own };
  };
