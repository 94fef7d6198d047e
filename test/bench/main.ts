import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

/** One figure: `subject` is tidegate, a peer's name, or limit. */
export interface Row {
  readonly case: string;
  readonly subject: string;
  readonly value: number;
  readonly unit: string;
}

/** What each file beside this one exports as its default. */
export type Bench = (report: (row: Row) => void) => Promise<void>;

const names = readdirSync(import.meta.dirname)
  .map((file) => basename(file, '.ts'))
  .filter((name) => name !== 'main' && !name.includes('.'));
const [, , name = ''] = process.argv;
// What a bench has started ends with it, also when it is broken off.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

if (names.includes(name)) {
  const file = join(import.meta.dirname, `${name}.ts`);
  const { default: bench } = (await import(file)) as { default: Bench };
  await bench((row) => {
    process.stdout.write(`${JSON.stringify({ bench: name, ...row })}\n`);
  });
} else {
  process.stderr.write(`usage: npm run bench -- <name>; names: ${names.join(', ')}\n`);
  process.exitCode = 2;
}
