import { createHash } from 'node:crypto';
import { cpSync, globSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { programIfAny } from '../../servers/servers.ts';
import { cached, run } from '../../servers/tools.ts';

/** How a program is started: the shop's, which prints what it does, or the one that answers questions. */
export interface Built {
  command(program: 'checkout' | 'ask'): readonly [program: string, ...args: string[]];
  readonly env: Readonly<Record<string, string>>;
}

interface Language {
  /** Programs it cannot do without, and how a Debian machine gets them. */
  readonly needs: Readonly<Record<string, string>>;
  build(sources: string): Built;
}

const debian = (name: string) => `on Debian, apt-get install ${name}`;

const python: Language = {
  needs: { python3: debian('python3 python3-pip') },
  build: (sources) => {
    const packages = cached(keyed('python', sources, 'requirements.txt'), (folder) => {
      const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
      run('python3', [...install, '--target', folder, '-r', join(sources, 'requirements.txt')]);
    });
    return {
      command: (program) => ['python3', join(sources, `${program}.py`)],
      env: { PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: '1' },
    };
  },
};

const go: Language = {
  needs: { go: 'https://go.dev/doc/install' },
  build: (sources) => {
    const folder = cached(keyed('go', sources, '**/*'), (folder) => {
      run('go', ['build', '-o', join(folder, 'checkout'), '.'], sources);
    });
    return {
      command: (program) => [join(folder, 'checkout'), ...(program === 'ask' ? ['ask'] : [])],
      env: {},
    };
  },
};

const java: Language = {
  needs: { javac: debian('default-jdk-headless'), mvn: debian('maven') },
  build: (sources) => {
    const folder = cached(keyed('java', sources, '**/*'), (folder) => {
      cpSync(join(sources, 'pom.xml'), join(folder, 'pom.xml'));
      run('mvn', ['-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=libs'], folder);
      const files = globSync('**/*.java', { cwd: sources }).map((file) => join(sources, file));
      const libs = join(folder, 'libs', '*');
      run('javac', ['--release', '17', '-cp', libs, '-d', join(folder, 'classes'), ...files]);
    });
    const path = [join(folder, 'classes'), join(folder, 'libs', '*')].join(delimiter);
    const classes = { checkout: 'Checkout', ask: 'Ask' } as const;
    const quick = ['-XX:TieredStopAtLevel=1', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'];
    return {
      command: (program) => [
        'java',
        ...quick,
        '-cp',
        path,
        `com.example.checkout.${classes[program]}`,
      ],
      env: {},
    };
  },
};

const languages = { python, go, java };
export type LanguageName = keyof typeof languages;
export const languageNames = Object.keys(languages) as readonly LanguageName[];

/**
 * Its programs, built once for as long as their files stay the same; undefined after saying which tool is missing. A
 * missing tool is an error in CI, as a missing server is.
 */
export function builtIfAny(name: LanguageName): Built | undefined {
  const { needs, build } = languages[name];
  const isMissing = ([program, how]: [string, string]) => !programIfAny(program, how);
  if (Object.entries(needs).some(isMissing)) return undefined;
  return build(join(import.meta.dirname, name));
}

/** A folder name that changes with the content of these files. */
function keyed(name: string, sources: string, pattern: string): string {
  const hash = createHash('sha256');
  for (const entry of globSync(pattern, { cwd: sources, withFileTypes: true }).filter((each) =>
    each.isFile(),
  ))
    hash.update(entry.name).update(readFileSync(join(entry.parentPath, entry.name)));
  return `language-${name}-${hash.digest('hex').slice(0, 12)}`;
}
