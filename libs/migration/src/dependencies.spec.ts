import { describe, expect, it } from '@jest/globals';
import { dependencyProblems } from './dependencies.ts';
import type { AnyMigration } from './index.ts';

const problems = (...migrations: object[]) =>
  dependencyProblems(
    new Map(
      (migrations as AnyMigration[]).map((migration) => [
        migration.id,
        { migration, file: `${migration.id}.ts` },
      ]),
    ),
  );

describe('migrations that depend on each other', () => {
  it('are taken in any order, as long as none waits for itself', () => {
    const [index, fill, switched] = [
      { id: 'index', phase: 'schema' },
      { id: 'fill', dependsOn: ['index'] },
      { id: 'switch', phase: 'cutover', dependsOn: ['fill', 'index'] },
    ];
    const drop = { id: 'drop', phase: 'cleanup', dependsOn: ['switch'] };
    expect(problems(drop, switched, fill, index)).toEqual([]);
  });

  it('are told what there is not, and who waits for whom', () => {
    expect(problems({ id: 'a', dependsOn: ['b', 'c'] }, { id: 'b' })).toEqual([
      'a.ts: dependsOn: there is no migration c',
    ]);
    expect(problems({ id: 'a', dependsOn: ['b'] }, { id: 'b', dependsOn: ['a'] })).toEqual([
      'a.ts: dependsOn: in the end a waits for itself',
      'b.ts: dependsOn: in the end b waits for itself',
    ]);
  });

  it('cannot be cut over by what is not verified', () => {
    const cut = { id: 'cut', phase: 'cutover', dependsOn: ['drop'] };
    expect(problems(cut, { id: 'drop', phase: 'cleanup', dependsOn: [] })).toEqual([
      'cut.ts: dependsOn: drop is no migration that a cutover can verify',
    ]);
  });
});
