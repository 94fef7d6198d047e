import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const FOLDER = 'libs/sdk';

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, { readonly types: string }>>;
}

/** A page with what each door of the SDK exports, as its declarations say it. */
export function sdkReference(): string {
  const { name, exports } = JSON.parse(
    readFileSync(join(FOLDER, 'package.json'), 'utf8'),
  ) as Manifest;
  const doors = Object.entries(exports).map(
    ([door, { types }]) => [join(name, door), join(FOLDER, types)] as const,
  );
  const program = ts.createProgram(
    doors.map(([, file]) => file),
    {
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      target: ts.ScriptTarget.ES2024,
      skipLibCheck: true,
    },
  );
  return [
    '# SDK',
    '',
    'Generated from the declarations of `@tidegate/sdk`. How it is used: [its README](../../libs/sdk/README.md) and the',
    '[how-tos](../how-to/README.md).',
    '',
    ...doors.flatMap(([door, file]) => [
      `## \`${door}\``,
      '',
      ...exported(program, file).flatMap((text) => ['```ts', text, '```', '']),
    ]),
  ].join('\n');
}

/** The declarations behind a file's exports, in the order in which it names them. */
function exported(program: ts.Program, file: string): string[] {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  const module = source && checker.getSymbolAtLocation(source);
  if (!module) throw new Error(`${file} is not built: npx tsc -b`);
  return checker.getExportsOfModule(module).map((symbol) => {
    const own = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    const declarations = own.declarations ?? [];
    if (declarations.length === 0) throw new Error(`${file}: ${symbol.name} is declared nowhere.`);
    return declarations.map(textOf).join('\n');
  });
}

/** With its comment, and without what is private. */
function textOf(declaration: ts.Declaration): string {
  const statement = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
  return statement
    .getFullText()
    .trim()
    .replaceAll(/^ +#private;\n/gm, '')
    .replaceAll(/^ +private .*;\n/gm, '')
    .replaceAll(/\bexport (declare )?/g, '');
}
