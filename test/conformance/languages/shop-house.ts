import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cli, expectOk, openHouse, type Standalone } from '../../e2e/house.ts';
import { start, temporaryFolder } from '../../e2e/process.ts';
import { languageNames } from './languages.ts';
import { flags } from './shop.ts';

const programs = [...languageNames, 'node', 'browser'] as const;
type Program = (typeof programs)[number];

/** Running services with the flags of the shop in `production`. */
export interface Shop extends AsyncDisposable {
  readonly house: Standalone;
  /** Where OFREP of production is. */
  readonly url: string;
  /** Each may read the flags of production. */
  readonly keys: Readonly<Record<Program, string>>;
  /** May read those of another environment. */
  readonly keyElsewhere: string;
  /** Asks as an admin; the path is below the environment. */
  ask(method: string, path: string, body: unknown): Promise<void>;
}

export async function openShop(env: Readonly<Record<string, string>> = {}): Promise<Shop> {
  const [elsewhere, ...own] = await Promise.all([
    newKey('elsewhere', 'staging'),
    ...programs.map((name) => newKey(name, 'production')),
  ]);
  const file = join(temporaryFolder(), 'keys');
  writeFileSync(file, [elsewhere, ...own].map(({ line }) => `${line}\n`).join(''));
  const house = await openHouse({ ...env, API_KEYS_FILE: file });
  const ask: Shop['ask'] = async (method, path, body) =>
    expectOk(
      await house.ask(method, 'flag-service', `/v1/environments/production${path}`, { body }),
    );
  await ask('PUT', '', {});
  for (const [key, body] of Object.entries(flags)) await ask('PUT', `/flags/${key}`, body);
  const close = () => house.program.kill();
  const keys = Object.fromEntries(programs.map((name, at) => [name, own[at]?.key ?? '']));
  return {
    house,
    url: `${house.urls['flag-service']}/environments/production`,
    keys: keys as Shop['keys'],
    keyElsewhere: elsewhere.key,
    ask,
    [Symbol.asyncDispose]: close,
  };
}

async function newKey(name: string, environment: string): Promise<{ key: string; line: string }> {
  const args = ['key', 'new', name, '--role', 'sdk', '--env', environment];
  await using made = start(cli, [...args, '--json']);
  const code = await made.ended();
  if (code !== 0) throw new Error(`No key was made (${code}): ${made.output()}`);
  return JSON.parse(made.output()) as { key: string; line: string };
}
