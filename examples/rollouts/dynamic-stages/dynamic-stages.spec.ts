import { describe, expect, it } from '@jest/globals';
import { matches, migrationProblems, transform } from '@tidegate/migration';
import { checkMigration } from '@tidegate/migration/check';
import { applications } from './applications.ts';
import indexes from './migrations/1-application-stages-indexes.ts';
import stages from './migrations/2-application-stages.ts';
import cutover from './migrations/3-application-stages-cutover.ts';

const SEED = Number(process.env['SEED'] ?? 1);

it.each([indexes, stages, cutover])('$id is a migration, and keeps its promises', (migration) => {
  expect(migrationProblems(migration)).toEqual([]);
  expect(checkMigration(migration as never, { seed: SEED })).toEqual([]);
});

interface Migrated {
  readonly status: string;
  readonly stages: readonly { readonly key: string; readonly state: string }[];
}

describe('the stages of an application', () => {
  const all = [...applications(500, { seed: SEED })];

  it('can be given to every application, and taken away again', () => {
    for (const before of all) {
      const result = transform(stages, { ...before });
      if (result.kind !== 'changed') throw new Error(JSON.stringify(result));
      expect(result.changes.map(({ path }) => path.join('.')).toSorted()).toEqual(
        expect.arrayContaining(['currentStage', 'stages', 'stagesVersion']),
      );
      expect(stages.down?.(result.after as never)).toEqual(before);
    }
  });

  it('leave programs that read status alone: it is what it was, and what the stages say', () => {
    for (const before of all) {
      const after = stages.up({ ...before } as never) as unknown as Migrated;
      expect(after.status).toBe(before.status);
      const isOver = ['rejected', 'withdrawn'].includes(before.status);
      const here = after.stages.filter(({ state }) => ['current', 'closed'].includes(state));
      expect(here.map(({ state }) => state)).toEqual([isOver ? 'closed' : 'current']);
    }
  });

  it('take one to two kilobytes each', () => {
    const sizes = all.flatMap((before) =>
      (stages.up({ ...before } as never) as unknown as Migrated).stages.map(
        (stage) => JSON.stringify(stage).length,
      ),
    );
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(1_000);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(2_048);
  });

  it('are not made up for a status that nobody knows', () => {
    const [stranger] = applications(1, { seed: SEED, strangers: 1 });
    expect(matches(stages.pending as never, { ...stranger })).toBe(true);
    expect(transform(stages as never, { ...stranger })).toMatchObject({
      kind: 'failed',
      code: 'MIGRATION_UP_FAILED',
      message: expect.stringContaining('there is no stage for the status "on hold?"'),
    });
  });
});
