import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServiceDefinition, startService } from '@tidegate/platform';

export interface OpenApi {
  readonly info: { readonly title: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}

export interface Operation {
  readonly summary?: string;
  /** The least role of a key that may use it; absent: no key is needed. */
  readonly 'x-role'?: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema?: Schema;
  }[];
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema?: Schema }>>;
  };
}

/** JSON Schema, of which the reference reads this much. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly nullable?: boolean;
}

/** What the service, started for a moment on a port and files of its own, says of its API. */
export async function openApiOf(service: ServiceDefinition): Promise<OpenApi> {
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-api-'));
  const env = {
    ADMIN_API_KEY: 'tg_admin_only-to-describe-the-api',
    DATA_DIR: folder,
    LOG_FILE: join(folder, 'log'),
    SHUTDOWN_LINGER_MS: '0',
  };
  try {
    const running = await startService(service, { env, port: 0 });
    try {
      return (await (await fetch(`${running.url}/openapi.json`)).json()) as OpenApi;
    } finally {
      await running.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
