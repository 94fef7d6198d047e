import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '@tidegate/kernel/testing';
import { type Limits, type Program, start, temporaryFolder, urlsIn } from './process.ts';

export const standalone = 'apps/standalone/dist/main.js';
export const cli = 'apps/cli/dist/main.js';

export interface Answer<T> {
  readonly status: number;
  readonly body: T;
}

/** Nobody is there, or was when the answer was due: what was asked may be done or not. */
export class Unanswered extends Error {}

/** `body`: a string is sent as YAML, anything else as JSON. `key`: instead of the admin's; null: none. */
export interface Asked {
  readonly body?: unknown;
  readonly key?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Services that can be asked, wherever they run. */
export interface Asking {
  ask<T = Record<string, unknown>>(
    method: string,
    service: string,
    path: string,
    asked?: Asked,
  ): Promise<Answer<T>>;
}

/** Running services, and the ways to speak with them. */
export interface House extends Asking, AsyncDisposable {
  /** Their data. */
  readonly folder: string;
  readonly urls: Readonly<Record<string, string>>;
  readonly adminKey: string;
  /** The command line program, with this house's addresses and key. */
  tidegate(...args: string[]): Promise<{ readonly code: number | null; readonly output: string }>;
  /** Their addresses, for programs. */
  readonly environment: Readonly<Record<string, string>>;
}

/** All of them in a process of their own. */
export interface Standalone extends House {
  readonly program: Program;
}

/** Starts it, on free ports unless `env` says otherwise. */
export async function openHouse(
  env: Readonly<Record<string, string>> = {},
  limits: Limits = {},
): Promise<Standalone> {
  const folder = env['DATA_DIR'] ?? join(temporaryFolder(), 'data');
  const program = start(standalone, [], { PORT_BASE: '0', ...env, DATA_DIR: folder }, limits);
  const urls = urlsIn(await program.printed('Ctrl-C stops it.'));
  const adminKey = keyOf(folder) ?? env['ADMIN_API_KEY'] ?? '';
  return {
    ...waysInto({ folder, urls, adminKey }),
    program,
    [Symbol.asyncDispose]: () => program.kill(),
  };
}

/** @param urlOf where such a service is asked now */
export function waysInto(
  { folder, urls, adminKey }: Pick<House, 'folder' | 'urls' | 'adminKey'>,
  urlOf: (service: string) => string | undefined = (service) => urls[service],
): Omit<House, keyof AsyncDisposable> {
  const environment = Object.fromEntries(
    Object.entries(urls).map(([name, url]) => [
      `TIDEGATE_${name.toUpperCase().replaceAll('-', '_')}_URL`,
      url,
    ]),
  );
  return {
    folder,
    urls,
    adminKey,
    environment,
    ask: (method, service, path, asked) =>
      askAt(`${urlOf(service)}${path}`, method, adminKey, asked),
    tidegate: async (...args) => {
      const command = start(cli, args, { DATA_DIR: folder, ...environment });
      return { code: await command.ended(), output: command.output() };
    },
  };
}

function keyOf(folder: string): string | undefined {
  const file = join(folder, 'admin.key');
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
}

export async function askAt<T>(
  url: string,
  method: string,
  adminKey: string,
  { body, key = adminKey, headers = {} }: Asked = {},
): Promise<Answer<T>> {
  const type = typeof body === 'string' ? 'application/yaml' : 'application/json';
  const request: RequestInit = {
    method,
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': type }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  };
  try {
    const response = await fetch(url, request);
    const text = await response.text();
    return { status: response.status, body: (text === '' ? undefined : JSON.parse(text)) as T };
  } catch (error) {
    throw new Unanswered(`${method} ${url} was not answered.`, { cause: error });
  }
}

/** As people write it: everyone gets `off` but `percentage` per cent. */
export const booleanFlag = (percentage: number) => ({
  type: 'boolean',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  offVariant: 'off',
  exposure: { variant: 'on', percentage },
});

/** Environment `production` with these flags, closed to everyone. */
export async function makeFlags(house: Asking, ...keys: string[]): Promise<void> {
  const made = await house.ask('PUT', 'flag-service', '/v1/environments/production', { body: {} });
  expectOk(made);
  for (const key of keys) {
    const path = `/v1/environments/production/flags/${key}`;
    expectOk(await house.ask('PUT', 'flag-service', path, { body: booleanFlag(0) }));
  }
}

/** Puts the plan and starts it in production; resolves with the rollout's id. */
export async function startRollout(house: Asking, plan: string, text: string): Promise<string> {
  expectOk(await house.ask('PUT', 'metrics-gatekeeper', `/v1/plans/${plan}`, { body: text }));
  const body = { plan, environment: 'production' };
  const started = await house.ask<{ id: string }>('POST', 'metrics-gatekeeper', '/v1/rollouts', {
    body,
  });
  expectOk(started);
  return started.body.id;
}

export interface RolloutShown {
  readonly status: string;
  readonly step: string | null;
  readonly phase: string | null;
  readonly exposure: string | null;
  readonly hold?: { readonly reason: string; readonly message: string; readonly paged: boolean };
  readonly paused?: { readonly by: string; readonly reason: string };
  readonly rollback?: { readonly reason: string; readonly message: string };
  readonly ended?: { readonly reason: string; readonly message: string };
}

export const isOver = ({ status }: RolloutShown): boolean =>
  ['completed', 'rolled-back', 'failed', 'aborted'].includes(status);

export const rolloutOf = async (house: Asking, id: string): Promise<RolloutShown> => {
  const found = await house.ask<RolloutShown>('GET', 'metrics-gatekeeper', `/v1/rollouts/${id}`);
  expectOk(found);
  return found.body;
};

/** Resolves with the rollout once it is so; says how it stood when it never was. */
export function rolloutUntil(
  house: Asking,
  id: string,
  isSo: (rollout: RolloutShown) => boolean,
  withinMs = 20_000,
): Promise<RolloutShown> {
  return eventually(async () => {
    const rollout = await rolloutOf(house, id);
    if (!isSo(rollout)) throw new Error(`The rollout is: ${JSON.stringify(rollout)}`);
    return rollout;
  }, withinMs);
}

export function expectOk({ status, body }: Answer<unknown>): void {
  if (status >= 400) throw new Error(`Refused with ${status}: ${JSON.stringify(body)}`);
}
