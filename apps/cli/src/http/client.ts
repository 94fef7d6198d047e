import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, causeOf } from '@tidegate/kernel';
import { z } from 'zod';
import { addressOf, type Env, type Service } from './services.ts';

export interface Answered<T = unknown> {
  readonly status: number;
  readonly body: T;
  readonly headers: Headers;
}

export interface CallOptions {
  readonly body?: unknown;
  readonly text?: string;
  readonly headers?: Record<string, string>;
  /** For what takes its time; half a minute if left out. */
  readonly timeoutMs?: number;
}

/** Calls a service. Thrown CLI_UNREACHABLE, CLI_KEY_MISSING, CLI_USAGE, or CLI_REFUSED with the service's own sentence. */
export interface Client {
  call<T = Record<string, unknown>>(
    service: Service,
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    options?: CallOptions,
  ): Promise<Answered<T>>;
  /** Every item of a paged list. */
  all<T = Record<string, unknown>>(service: Service, path: string): Promise<readonly T[]>;
}

const problem = z.object({
  /** Of OFREP, which has words of its own. */
  errorCode: z.string().optional(),
  errorDetails: z.string().optional(),
  title: z.string().optional(),
  detail: z.string().optional(),
  code: z.string().optional(),
  errors: z
    .array(
      z.object({
        pointer: z.string().optional(),
        parameter: z.string().optional(),
        line: z.number().optional(),
        detail: z.string(),
      }),
    )
    .optional(),
});

const TIMEOUT_MS = 30_000;

/** @param signal ends calls under way; the caller knows why they fail then */
export function createClient(env: Env, signal: AbortSignal): Client {
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the body it expects
  const call: Client['call'] = async <T>(
    service: Service,
    method: string,
    path: string,
    { body, text, headers = {}, timeoutMs = TIMEOUT_MS }: CallOptions = {},
  ) => {
    const address = addressOf(service, env);
    const payload = text ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await reach(service, address, path, {
      method,
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      headers: {
        authorization: `Bearer ${keyFrom(env)}`,
        ...(payload === undefined
          ? {}
          : { 'content-type': text === undefined ? 'application/json' : 'application/yaml' }),
        ...headers,
      },
      ...(payload === undefined ? {} : { body: payload }),
    });
    const answered = parsed(await response.text());
    if (!response.ok) throw refusal(response.status, answered);
    return { status: response.status, body: answered as T, headers: response.headers };
  };
  return { call, all: (service, path) => pages(call, service, path) };
}

async function pages<T>(
  call: Client['call'],
  service: Service,
  path: string,
): Promise<readonly T[]> {
  const items: T[] = [];
  let after: string | undefined;
  do {
    const next = new URLSearchParams({ limit: '200', ...(after === undefined ? {} : { after }) });
    const separator = path.includes('?') ? '&' : '?';
    const { body } = await call<{ items: T[]; next?: string }>(
      service,
      'GET',
      `${path}${separator}${next.toString()}`,
    );
    items.push(...body.items);
    after = body.next;
  } while (after !== undefined);
  return items;
}

/** `TIDEGATE_KEY`, or the key that standalone left in its data folder. */
function keyFrom(env: Env): string {
  const key = (env['TIDEGATE_KEY'] || env['ADMIN_API_KEY'] || keptKey(env)).trim();
  if (/^[\x21-\x7e]+$/.test(key)) return key;
  throw new AppError(
    'CLI_KEY_MALFORMED',
    'The API key has spaces, line breaks or other characters that no key has.',
  );
}

function keptKey(env: Env): string {
  const file = join(env['DATA_DIR'] || '.tidegate', 'admin.key');
  if (existsSync(file)) return readFileSync(file, 'utf8');
  throw new AppError(
    'CLI_KEY_MISSING',
    `No API key: set TIDEGATE_KEY, or run where standalone keeps its data (${file} is not there).`,
  );
}

async function reach(
  service: Service,
  address: string,
  path: string,
  request: RequestInit,
): Promise<Response> {
  try {
    return await fetch(`${address}${path}`, request);
  } catch (error) {
    throw new AppError(
      'CLI_UNREACHABLE',
      `${service} does not answer at ${address}: ${causeOf(error)}`,
      { cause: error },
    );
  }
}

function parsed(text: string): unknown {
  try {
    return text === '' ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return text; // markdown and the like: the answer is the text
  }
}

function refusal(status: number, body: unknown): AppError {
  const { data = {} } = problem.safeParse(body);
  const lines = (data.errors ?? []).map(({ pointer, parameter, line, detail }) => {
    const at = pointer === '#' ? undefined : (pointer ?? parameter);
    const place = [line === undefined ? undefined : `line ${line}`, at].filter(Boolean).join(' ');
    return place === '' ? detail : `${place}: ${detail}`;
  });
  const code = data.code ?? data.errorCode;
  const said = data.detail ?? data.errorDetails ?? data.title ?? data.errorCode;
  const sentence = said ?? `The service answered ${status}.`;
  // The sentence of an invalid request is its first error.
  const first = data.errors?.[0]?.detail;
  const isRepeated = first !== undefined && sentence.endsWith(first);
  const message = isRepeated
    ? lines.join('\n')
    : [sentence, ...lines.map((each) => `  ${each}`)].join('\n');
  return new AppError('CLI_REFUSED', message, {
    data: {
      status,
      ...(code === undefined ? {} : { code }),
      ...(data.errors ? { errors: data.errors } : {}),
    },
  });
}
