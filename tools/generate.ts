/**
 * Writes what is generated from the sources, or with --check says what is out of date (exit 1).
 *   docs/schemas/*.schema.json    JSON Schema of every message and of plans
 *   docs/asyncapi.json            every topic and message
 *   libs/contracts/golden/*.json  one published example a message: written once, never changed
 *   libs/contracts/published/*    its schema as it was first published: written once, never changed
 *   apps/<service>/README.md      the table of options, between <!-- options --> and <!-- /options -->
 *   deploy/kafka/*.sh             topics and access lists, for Kafka's own tools
 *   docs/api/*                    OpenAPI documents, a page of all routes, and what the SDK exports
 *   .env.example                  every option of every service
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { auditSink } from '@tidegate/audit-sink';
import { accessScript, topicsScript } from '@tidegate/bus';
import { asyncApiDocument, goldenDocuments, schemaDocuments } from '@tidegate/contracts';
import { flagService } from '@tidegate/flag-service';
import { metricsGatekeeper } from '@tidegate/metrics-gatekeeper';
import { migrationRunner } from '@tidegate/migration-runner';
import { notifier } from '@tidegate/notifier';
import {
  configMarkdown,
  envExample,
  PlatformConfig,
  type ServiceDefinition,
} from '@tidegate/platform';
import { format, resolveConfig } from 'prettier';
import type { z } from 'zod';
import { apiReference } from './api-reference.ts';
import { type OpenApi, openApiOf } from './openapi.ts';
import { sdkReference } from './sdk-reference.ts';

const check = process.argv.includes('--check');
const problems: string[] = [];
const services = [flagService, metricsGatekeeper, migrationRunner, auditSink, notifier] as const;
const optionsOf = ({ config }: Pick<ServiceDefinition, 'config'>) => config as z.ZodObject;

function hold(file: string, wanted: string): void {
  if (existsSync(file) && readFileSync(file, 'utf8') === wanted) return;
  if (check) problems.push(`${file} is out of date: run npm run generate.`);
  else writeFileSync(file, wanted);
}

/** What is there stays as it is: later releases are held against it by the specs. */
function keepFirst(folder: string, documents: ReadonlyMap<string, unknown>): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, document] of documents)
    if (!existsSync(join(folder, name)))
      hold(join(folder, name), `${JSON.stringify(document, null, 2)}\n`);
}

function holdFolder(folder: string, documents: ReadonlyMap<string, unknown>, immutable: boolean) {
  mkdirSync(folder, { recursive: true });
  for (const [name, document] of documents) {
    const file = join(folder, name);
    const wanted = `${JSON.stringify(document, null, 2)}\n`;
    if (immutable && existsSync(file) && readFileSync(file, 'utf8') !== wanted)
      problems.push(`${file} was published and cannot change: add a new version instead.`);
    else hold(file, wanted);
  }
  for (const name of readdirSync(folder).filter((each) => !documents.has(each)))
    if (immutable)
      problems.push(`${join(folder, name)} was published and is gone from the catalogue.`);
    else if (check)
      problems.push(`${join(folder, name)} is generated no more: run npm run generate.`);
    else rmSync(join(folder, name));
}

async function holdOptions(file: string, options: z.ZodObject): Promise<void> {
  const text = readFileSync(file, 'utf8');
  const [before, rest] = text.split('<!-- options -->');
  const after = rest?.split('<!-- /options -->')[1];
  if (before === undefined || after === undefined) {
    problems.push(
      `${file} has no <!-- options --> and <!-- /options --> to write the table between.`,
    );
    return;
  }
  const table = `<!-- options -->\n\n${configMarkdown(options)}\n<!-- /options -->`;
  await holdPage(file, before + table + after);
}

async function holdPage(file: string, text: string): Promise<void> {
  hold(file, await format(text, { ...(await resolveConfig(file)), parser: 'markdown' }));
}

holdFolder('docs/schemas', schemaDocuments(), false);
hold('docs/asyncapi.json', `${JSON.stringify(asyncApiDocument(), null, 2)}\n`);
holdFolder('libs/contracts/golden', goldenDocuments(), true);
keepFirst('libs/contracts/published', messageSchemas());
await holdOptions('libs/platform/README.md', PlatformConfig);
for (const service of services)
  await holdOptions(`apps/${service.name}/README.md`, optionsOf(service));
const apis = new Map<string, OpenApi>();
mkdirSync('docs/api', { recursive: true });
for (const service of services) {
  const api = await openApiOf(service);
  apis.set(service.name, api);
  hold(`docs/api/${service.name}.openapi.json`, `${JSON.stringify(api, null, 2)}\n`);
}
await holdPage('docs/api/README.md', apiReference(apis));
await holdPage('docs/api/sdk.md', sdkReference());
mkdirSync('deploy/kafka', { recursive: true });
hold('deploy/kafka/topics.sh', topicsScript());
hold('deploy/kafka/acls.sh', accessScript());
hold(
  '.env.example',
  [
    '# Options of all services. What is commented out has the default shown, or none.\n',
    envExample(PlatformConfig),
    ...services.map(
      (service) => `\n# --- ${service.name} ---\n\n${envExample(optionsOf(service))}`,
    ),
  ].join('\n'),
);

/** Plans are read as text of their own version; only messages are exchanged between releases. */
function messageSchemas(): ReadonlyMap<string, object> {
  return new Map([...schemaDocuments()].filter(([name]) => name !== 'plan.schema.json'));
}

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
