import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cli, expectOk, openHouse, type Standalone } from '../../e2e/house.ts';
import { start, temporaryFolder } from '../../e2e/process.ts';
import { flags } from './shop.ts';

/** Running services with the flags of the shop in `production`. */
export interface Shop extends AsyncDisposable {
  readonly house: Standalone;
  /** May read the flags of production. */
  readonly key: string;
  /** May read those of another environment. */
  readonly keyElsewhere: string;
  /** Asks as an admin; the path is below the environment. */
  ask(method: string, path: string, body: unknown): Promise<void>;
}

export async function openShop(env: Readonly<Record<string, string>> = {}): Promise<Shop> {
  const [own, elsewhere] = [await newKey('production'), await newKey('staging')];
  const file = join(temporaryFolder(), 'keys');
  writeFileSync(file, `${own.line}\n${elsewhere.line}\n`);
  const house = await openHouse({ ...env, API_KEYS_FILE: file });
  const ask: Shop['ask'] = async (method, path, body) =>
    expectOk(
      await house.ask(method, 'flag-service', `/v1/environments/production${path}`, { body }),
    );
  await ask('PUT', '', {});
  for (const [key, body] of Object.entries(flags)) await ask('PUT', `/flags/${key}`, body);
  const close = () => house.program.kill();
  return { house, key: own.key, keyElsewhere: elsewhere.key, ask, [Symbol.asyncDispose]: close };
}

async function newKey(environment: string): Promise<{ key: string; line: string }> {
  const args = ['key', 'new', `shop-${environment}`, '--role', 'sdk', '--env', environment];
  await using made = start(cli, [...args, '--json']);
  const code = await made.ended();
  if (code !== 0) throw new Error(`No key was made (${code}): ${made.output()}`);
  return JSON.parse(made.output()) as { key: string; line: string };
}
