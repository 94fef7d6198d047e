/**
 * Writes what is generated from the sources, or with --check says what is out of date (exit 1).
 *   docs/schemas/*.schema.json    JSON Schema of every message and of plans
 *   libs/contracts/golden/*.json  one published example a message: written once, never changed
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { goldenDocuments, schemaDocuments } from '@tidegate/contracts';

const check = process.argv.includes('--check');
const problems: string[] = [];
const text = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

function hold(folder: string, documents: ReadonlyMap<string, unknown>, immutable: boolean): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, document] of documents) {
    const file = join(folder, name);
    const now = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
    if (now === text(document)) continue;
    if (immutable && now !== undefined)
      problems.push(`${file} was published and cannot change: add a new version instead.`);
    else if (check) problems.push(`${file} is out of date: run npm run generate.`);
    else writeFileSync(file, text(document));
  }
  for (const name of readdirSync(folder).filter((each) => !documents.has(each)))
    if (immutable)
      problems.push(`${join(folder, name)} was published and is gone from the catalogue.`);
    else if (check)
      problems.push(`${join(folder, name)} is generated no more: run npm run generate.`);
    else rmSync(join(folder, name));
}

hold('docs/schemas', schemaDocuments(), false);
hold('libs/contracts/golden', goldenDocuments(), true);

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
