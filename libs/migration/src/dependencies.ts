import type { AnyMigration } from './migration.ts';

type Known = ReadonlyMap<string, { readonly migration: AnyMigration; readonly file: string }>;

/** What is wrong between migrations, each with its file: one that there is not, one that waits for itself. */
export function dependencyProblems(known: Known): readonly string[] {
  return [...known.values()].flatMap(({ migration, file }) => {
    const at = `${file}: dependsOn:`;
    const { id, phase, dependsOn = [] } = migration;
    const unknown = dependsOn.filter((each) => !known.has(each));
    if (unknown.length > 0) return [`${at} there is no migration ${unknown.join(', ')}`];
    if (isBehind(known, id, dependsOn)) return [`${at} in the end ${id} waits for itself`];
    if (phase !== 'cutover') return [];
    return dependsOn
      .filter((each) => ['cutover', 'cleanup'].includes(known.get(each)?.migration.phase ?? 'data'))
      .map((each) => `${at} ${each} is no migration that a cutover can verify`);
  });
}

function isBehind(known: Known, id: string, dependsOn: readonly string[]): boolean {
  const seen = new Set<string>();
  const left = [...dependsOn];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    if (next === id) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    left.push(...(known.get(next)?.migration.dependsOn ?? []));
  }
  return false;
}
