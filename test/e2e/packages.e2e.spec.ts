import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { temporaryFolder } from './process.ts';

jest.setTimeout(120_000);
const root = join(import.meta.dirname, '../..');
const packages = ['kernel', 'contracts', 'evaluation', 'bus', 'sdk'];

/** A project of somebody else's: of ours it has what `npm pack` makes, of others what that depends on, and no more. */
const project = temporaryFolder();
const write = (name: string, text: string) => writeFileSync(join(project, name), text);
const run = (...args: string[]): string =>
  execFileSync(process.execPath, args, { cwd: project, encoding: 'utf8', stdio: 'pipe' });

function install(name: string): void {
  const from = join(root, 'libs', name);
  const args = ['pack', '--silent', '--pack-destination', project];
  const packed = execFileSync('npm', args, { cwd: from, encoding: 'utf8' }).trim();
  const folder = join(project, 'node_modules/@tidegate', name);
  mkdirSync(folder, { recursive: true });
  execFileSync('tar', ['xzf', join(project, packed), '-C', folder, '--strip-components', '1']);
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    dependencies?: Record<string, string>;
  };
  for (const each of Object.keys(manifest.dependencies ?? {}))
    if (!each.startsWith('@tidegate/')) link(each, from);
}

function link(name: string, from = root): void {
  const [own, shared] = [from, root].map((folder) => join(folder, 'node_modules', name));
  const place = join(project, 'node_modules', name);
  mkdirSync(dirname(place), { recursive: true });
  if (!existsSync(place)) symlinkSync(own && existsSync(own) ? own : String(shared), place);
}

/** What an application brings that uses every door but Redis's. */
const peers = [
  '@nestjs/common',
  '@nestjs/core',
  '@openfeature/server-sdk',
  '@opentelemetry/api',
  'prom-client',
];

describe('the SDK as a package', () => {
  beforeAll(() => {
    write('package.json', '{ "type": "module" }');
    for (const name of packages) install(name);
    link('@types/node');
  });

  it('opens its own doors where the application brings no framework, and says what another door needs', () => {
    write(
      'core.js',
      `
await Promise.all(['', '/context', '/testing'].map((door) => import('@tidegate/sdk' + door)));
console.log(await import('@tidegate/sdk/nest').catch((error) => error.message));
`,
    );
    expect(run('core.js')).toContain("Cannot find package '@nestjs/");
  });

  it('opens all its doors, and no other', () => {
    for (const peer of peers) link(peer);
    write(
      'doors.js',
      `
import { createTidegate } from '@tidegate/sdk';
import { runWithContext } from '@tidegate/sdk/context';
import { createKafkaTidegate } from '@tidegate/sdk/kafka';
import { TidegateModule } from '@tidegate/sdk/nest';
import { TidegateProvider } from '@tidegate/sdk/openfeature';
import { spanEvents } from '@tidegate/sdk/opentelemetry';
import { exposureMetrics } from '@tidegate/sdk/prometheus';
import { withFlags } from '@tidegate/sdk/testing';
const opened = [createTidegate, runWithContext, TidegateModule, TidegateProvider, spanEvents, exposureMetrics, withFlags];
const refused = await createKafkaTidegate({ url: 'nonsense', environment: 'production' }).catch((error) => error.code);
const deeper = await import('@tidegate/sdk/dist/index.js').catch((error) => error.code);
console.log(opened.every((each) => typeof each === 'function'), refused, deeper);
`,
    );
    expect(run('doors.js')).toBe('true SDK_OPTIONS_INVALID ERR_PACKAGE_PATH_NOT_EXPORTED\n');
  });

  it('opens a door to Redis where the application has its driver', () => {
    const program = `
import { redisBootstrap } from '@tidegate/sdk/redis';
console.log(typeof redisBootstrap({ url: 'redis://127.0.0.1:9', key: 'flags' }).load);
`;
    write('redis.js', program);
    expect(() => run('redis.js')).toThrow("Cannot find package 'ioredis'");
    link('ioredis');
    expect(run('redis.js')).toBe('function\n');
  });

  it('brings no driver of Kafka or Redis where only the stream is used', () => {
    write(
      'stream.js',
      `
import { registerHooks } from 'node:module';
const loaded = [];
registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
await import('@tidegate/sdk');
console.log(loaded.filter((url) => /kafkajs|ioredis|@tidegate[/]bus/.test(url)).length, loaded.length > 5);
`,
    );
    expect(run('stream.js')).toBe('0 true\n');
  });

  it('has types for them', () => {
    for (const peer of peers) link(peer);
    write(
      'typed.ts',
      `
import { createTidegate, type Tidegate } from '@tidegate/sdk';
import { createKafkaTidegate, type KafkaTidegateOptions } from '@tidegate/sdk/kafka';
import { FeatureGate, ModeGuard } from '@tidegate/sdk/nest';
import { withFlags } from '@tidegate/sdk/testing';
class Orders {
  @FeatureGate('new-orders', { otherwise: 'old' })
  list(): void {}
  old(): void {}
  @ModeGuard('rules', { validate: ({ body }) => (body === null ? [{ detail: 'a body' }] : []), deprecatedAt: new Date(0) })
  put(): void {}
}
export const inSpec: Promise<boolean> = withFlags({ on: true }, (flags) => flags.boolean('on', false));
// @ts-expect-error there is no such method
class Broken { @FeatureGate('new-orders', { otherwise: 'nowhere' }) list(): void {} }
export const controllers = [Orders, Broken];
const options: KafkaTidegateOptions = { url: 'kafka://a:9092', environment: 'production' };
export const opened: Promise<Tidegate> = createKafkaTidegate(options);
export const isOn: boolean = createTidegate({ url: 'http://a', environment: 'e', key: 'k' }).boolean('f', false);
// @ts-expect-error a number is no key
createTidegate({ url: 'http://a', environment: 'e', key: 1 });
`,
    );
    const compilerOptions = {
      module: 'nodenext',
      target: 'es2024',
      strict: true,
      noEmit: true,
      types: ['node'],
      experimentalDecorators: true,
    };
    write('tsconfig.json', JSON.stringify({ compilerOptions, files: ['typed.ts'] }));
    const tsc = [join(root, 'node_modules/@typescript/native/bin/tsc'), '-p', '.'];
    const { stdout } = spawnSync(process.execPath, tsc, { cwd: project, encoding: 'utf8' });
    expect(stdout).toBe('');
  });
});
