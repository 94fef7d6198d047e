import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { auditSink } from '@tidegate/audit-sink';
import { flagService } from '@tidegate/flag-service';
import { metricsGatekeeper } from '@tidegate/metrics-gatekeeper';
import { migrationRunner } from '@tidegate/migration-runner';
import { notifier } from '@tidegate/notifier';
import { PlatformConfig, readConfig } from '@tidegate/platform';
import { parse } from 'yaml';
import type { z } from 'zod';

/** What can be held against the sources without a container engine. */
interface Container {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly stop_grace_period?: string;
  readonly restart?: string;
}
interface Composed {
  readonly services: Readonly<Record<string, Container>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const root = join(import.meta.dirname, '../..');
const text = (file: string): string => readFileSync(join(root, file), 'utf8');
const read = (file: string): unknown => parse(text(file), { merge: true });

const { services, volumes } = read('docker-compose.yml') as Composed;
const definitions = [flagService, metricsGatekeeper, migrationRunner, auditSink, notifier];
const ours = Object.entries(services).filter(([, { image }]) => image === 'tidegate');
const definitionOf = (name: string) => {
  const found = definitions.find((each) => each.name === name.replace(/-\d$/, ''));
  if (!found) throw new Error(`There is no service ${name}.`);
  return found;
};

const SECRET = 'of whoever starts it: long and random';
/** As Compose does it: `${NAME:?…}` must be given, `${NAME:-default}` need not. */
const interpolated = (value: unknown): string =>
  String(value).replaceAll(/\$\{\w+:([?-])([^}]*)\}/g, (_all, kind, rest) =>
    kind === '?' ? SECRET : String(rest),
  );
const environmentOf = ({ environment = {} }: Container): Record<string, string> =>
  Object.fromEntries(Object.entries(environment).map(([key, value]) => [key, interpolated(value)]));

describe('docker-compose.yml', () => {
  it('has all five services, and two of those that decide', () => {
    expect(ours.map(([name]) => name)).toEqual([
      'flag-service',
      'flag-service-2',
      'metrics-gatekeeper',
      'metrics-gatekeeper-2',
      'migration-runner',
      'audit-sink',
      'notifier',
    ]);
  });

  it.each(ours)('gives %s options that it has, with values that it takes', (name, container) => {
    const config = definitionOf(name).config as unknown as z.ZodObject;
    const env = environmentOf(container);
    const known = { ...PlatformConfig.shape, ...config.shape };
    expect(Object.keys(env).filter((option) => !Object.hasOwn(known, option))).toEqual([]);
    const { platform } = readConfig(env, config);
    expect(platform).toMatchObject({
      HOST: '0.0.0.0',
      ADMIN_API_KEY: SECRET,
      BUS_URL: { driver: 'kafka', replication: 1 },
      STORE_URL: { driver: 'mongodb' },
    });
    expect(Number.parseInt(container.stop_grace_period ?? '', 10) * 1_000).toBeGreaterThan(
      platform.SHUTDOWN_GRACE_MS,
    );
  });

  it.each(ours)('starts of %s what the build makes, and asks it whether it is ready', (name, c) => {
    const { defaultPort, name: service } = definitionOf(name);
    const [program, file = ''] = c.command ?? [];
    expect([program, file]).toEqual(['node', `apps/${service}/dist/main.js`]);
    expect(existsSync(join(root, file))).toBe(true);
    const [kind, node, script = '', port] = c.healthcheck?.test ?? [];
    expect([kind, node, port]).toEqual(['CMD', 'node', String(defaultPort)]);
    expect(existsSync(join(root, script))).toBe(true);
    expect(c.ports?.map((each) => each.split(':').at(-1))).toEqual([String(defaultPort)]);
  });

  it('publishes ports on the loopback interface only, each once', () => {
    const ports = Object.values(services).flatMap(({ ports = [] }) => ports);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    expect(new Set(ports.map((port) => port.split(':')[1])).size).toBe(ports.length);
  });

  it('names no address and no volume that it does not have', () => {
    for (const [, container] of ours) {
      const env = Object.entries(environmentOf(container)).filter(([key]) => key.endsWith('_URL'));
      for (const [, url] of env.filter(([, url]) => url !== ''))
        expect(Object.keys(services)).toContain(/^\w+:\/\/([^:/?]+)/.exec(url)?.[1]);
    }
    const mounted = Object.values(services).flatMap(({ volumes = [] }) => volumes);
    for (const source of mounted.map((each) => each.split(':')[0] ?? ''))
      if (source.startsWith('.')) expect(existsSync(join(root, source))).toBe(true);
      else expect(Object.keys(volumes)).toContain(source);
  });

  it('comes back by itself, checks all that it runs, and holds no secret', () => {
    for (const [name, { healthcheck, restart }] of Object.entries(services))
      expect({ name, restart, checked: healthcheck !== undefined }).toEqual({
        name,
        restart: 'unless-stopped',
        checked: true,
      });
    for (const [, { environment = {} }] of ours)
      for (const [option, value] of Object.entries(environment))
        if (/KEY|SECRET|PASSWORD|TOKEN/.test(option))
          expect(value).toMatch(/^\$\{\w+:[?-][^}]*\}$/);
  });

  it('has a Prometheus that scrapes every process', () => {
    const { scrape_configs: jobs } = read('deploy/prometheus/prometheus.yml') as {
      scrape_configs: { static_configs: { targets: string[] }[] }[];
    };
    const targets = jobs.flatMap((job) => job.static_configs.flatMap((each) => each.targets));
    expect(targets).toEqual(ours.map(([name]) => `${name}:${definitionOf(name).defaultPort}`));
  });
});

describe('the image', () => {
  const dockerfile = text('deploy/docker/Dockerfile');
  const stages = dockerfile.split(/^FROM /m).slice(1);

  it('is one stage of what runs, without tools, on the Node of this project, as nobody special', () => {
    const [build = '', final = ''] = stages;
    expect(stages).toHaveLength(2);
    for (const stage of stages) expect(stage).toMatch(/^node:24-/);
    expect(build).toContain('npm ci --omit=dev');
    expect(final).not.toMatch(/npm|apt|tsc/);
    expect(final).toContain('USER node');
  });

  it('has every file that a command names', () => {
    const copied = [...dockerfile.matchAll(/--from=build \/tidegate\/(\S+)/g)].map(
      ([, path]) => path,
    );
    const files = ours.flatMap(([, { command = [], healthcheck }]) => [
      command[1] ?? '',
      healthcheck?.test[2] ?? '',
    ]);
    const [, started = ''] = /^CMD \["node", "([^"]+)"\]$/m.exec(dockerfile) ?? [];
    expect(existsSync(join(root, started))).toBe(true);
    for (const file of [...files, started]) expect(copied).toContain(file.split('/')[0]);
  });
});
