import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { needProgram, run } from './tools.ts';

const BACKEND = 'vendor/github.com/FerretDB/FerretDB/internal/backends/sqlite';

/**
 * FerretDB 1.24 never uses an index of SQLite: it asks for `_id` by another expression than the one it has indexed,
 * and not at all if a filter has anything else, as that of a compare-and-set has. What it finds, it filters again, so
 * that it answers the same with these changes, but not by reading the whole collection.
 */
const CHANGES = [
  ['metadata/metadata.go', `"->'$._id'"`, '`->"_id"`'],
  ['collection.go', 'params.Filter.Len() == 1', 'params.Filter.Len() >= 1'],
] as const;

/** Builds the server of `ferretdb/main.go` into the folder; takes a minute. */
export function buildFerretdb(folder: string): void {
  const go = needProgram('go', 'https://go.dev/doc/install');
  const env = { GOTOOLCHAIN: 'local' };
  cpSync(join(import.meta.dirname, 'ferretdb'), folder, { recursive: true });
  run(go, ['mod', 'vendor'], folder, env);
  for (const [name, before, after] of CHANGES) {
    const file = join(folder, BACKEND, name);
    const text = readFileSync(file, 'utf8');
    if (!text.includes(before)) throw new Error(`${name} is not as it is in FerretDB 1.24.`);
    writeFileSync(file, text.replaceAll(before, after));
  }
  run(go, ['build', '-mod=vendor', '-o', 'ferretdb', '.'], folder, env);
  rmSync(join(folder, 'vendor'), { recursive: true });
}
