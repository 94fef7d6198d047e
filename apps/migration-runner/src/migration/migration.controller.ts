import { Controller, Get, Inject } from '@nestjs/common';
import { reject } from '@tidegate/kernel';
import { isDataMigration } from '@tidegate/migration';
import type { Loaded, Migrations } from '@tidegate/migration/files';
import { RequireRole, ZodParam, ZodQuery } from '@tidegate/platform';
import { z } from 'zod';
import type { Runs } from '../run/change-run.handler.ts';
import { LIST_QUARANTINED, MIGRATIONS, RUNS } from '../tokens.ts';
import { logOf } from './log.ts';
import type { ListQuarantined } from './quarantined.handler.ts';
import { type Standing, standingOf } from './standing.ts';

const id = z.string().min(1).max(200);
const quarantineQuery = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  after: z.coerce.number().int().optional(),
});

@Controller('v1/migrations')
export class MigrationController {
  readonly #migrations: Migrations;
  readonly #runs: Runs;
  readonly #listQuarantined: ListQuarantined;
  constructor(
    @Inject(MIGRATIONS) migrations: Migrations,
    @Inject(RUNS) runs: Runs,
    @Inject(LIST_QUARANTINED) listQuarantined: ListQuarantined,
  ) {
    this.#migrations = migrations;
    this.#runs = runs;
    this.#listQuarantined = listQuarantined;
  }

  @Get()
  @RequireRole('viewer')
  async list() {
    const items = [];
    for (const loaded of this.#migrations.values())
      items.push(shown(loaded, standingOf(await this.#runs.of(loaded.migration.id))));
    return { items };
  }

  @Get(':id/log')
  @RequireRole('viewer')
  async log(@ZodParam('id', id) migration: string) {
    const runs = await this.#runs.of(migration);
    // What has run stays on record, also when its file is gone.
    return runs.length > 0 || this.#migrations.has(migration)
      ? { items: logOf(runs) }
      : unknown(migration);
  }

  /** Documents that runs left as they were, as `onError: quarantine` says. */
  @Get(':id/quarantine')
  @RequireRole('operator', { everyEnvironment: true })
  async quarantine(
    @ZodParam('id', id) migration: string,
    @ZodQuery(quarantineQuery) page: z.output<typeof quarantineQuery>,
  ) {
    const isKnown = this.#migrations.has(migration) || (await this.#runs.of(migration)).length > 0;
    return isKnown ? this.#listQuarantined(migration, page) : unknown(migration);
  }
}

const unknown = (migration: string) =>
  reject('MIGRATION_UNKNOWN', `There is no migration ${migration}, and none has run.`);

function shown({ migration, hash, file }: Loaded, standing: Standing) {
  const { id: name, target, collection, description, phase = 'data', dependsOn = [] } = migration;
  const { text, verified, done, cutOver, forgottenBy } = standing;
  return {
    id: name,
    phase,
    target,
    collection,
    description,
    dependsOn,
    reversible: !isDataMigration(migration) || migration.down !== undefined,
    hash,
    file,
    done,
    cutOver,
    forgottenBy,
    verified: verified === hash,
    ...(text ? { executed: text, isChanged: text.hash !== hash } : {}),
  };
}
