import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const typesOf = (lib: string, door: string): string[] => [
  join(root, `libs/${lib}/dist/${door}.d.ts`),
];

/** What the compiler says to files that use Tidegate, as a user compiles them; nothing when they are right. */
export function compilerSays(folder: string, files: readonly string[]): string {
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2024',
    strict: true,
    noEmit: true,
    noUnusedLocals: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    typeRoots: [join(root, 'node_modules/@types')],
    types: ['node'],
    paths: {
      '@tidegate/sdk': typesOf('sdk', 'index'),
      '@tidegate/sdk/testing': typesOf('sdk', 'testing'),
      '@tidegate/migration': typesOf('migration', 'index'),
    },
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  try {
    const tsc = join(root, 'node_modules/@typescript/native/bin/tsc');
    return execFileSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}
