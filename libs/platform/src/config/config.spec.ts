import { describe, expect, it } from '@jest/globals';
import { isAppError, isRejection } from '@tidegate/kernel';
import { z } from 'zod';
import { configMarkdown, configTable, envExample } from './config-table.ts';
import { readConfig } from './config.ts';
import { readStoreUrl, storeAddress } from '@tidegate/store';
import { busAddress, readBusUrl } from './driver-url.ts';
import { PlatformConfig } from './platform-config.ts';

const Own = z
  .object({
    OWN_FIRST_MS: z.coerce.number().int().positive().default(1_000).describe('First wait.'),
    OWN_ENABLED: z.stringbool().default(false).describe('Whether it does anything.'),
    OWN_NAME: z.string().describe('Its name.'),
    OWN_NOTE: z.string().optional().describe('Anything.'),
  })
  .refine((c) => c.OWN_FIRST_MS < 5_000, { error: 'OWN_FIRST_MS cannot be so long' });

const enough = { ADMIN_API_KEY: 'sixteen characters', OWN_NAME: 'n' };
const problemsOf = (env: Record<string, string>): string => {
  try {
    readConfig(env, Own);
    return 'none';
  } catch (error) {
    if (!isAppError(error, 'CONFIG_INVALID')) throw error;
    return error.message;
  }
};

it('addresses are shown to people without what only programs may know', () => {
  const bus = readBusUrl('kafka://me:hush@h1:9092,h2:9092?sasl=plain&tls=true');
  const store = readStoreUrl('mongodb://me:hu%2Fsh@h1:27017,h2:27017/tidegate?replicaSet=r');
  if (isRejection(bus) || isRejection(store)) throw new Error('They are well-formed.');
  expect(busAddress(bus)).toBe('kafka://h1:9092,h2:9092');
  expect(storeAddress(store)).toBe('mongodb://h1:27017,h2:27017/tidegate');
  const slashed = 'mongodb://u:p/w@h1/tidegate?a=b@c';
  expect(storeAddress({ driver: 'mongodb', url: slashed })).toBe('mongodb://h1/tidegate');
  expect(storeAddress({ driver: 'sqlite', file: 'store.db' })).toBe('sqlite:store.db');
});

describe('options', () => {
  it('have defaults, and what is set to nothing counts as not set', () => {
    const { platform, own } = readConfig({ ...enough, PORT: '', OWN_ENABLED: '' }, Own);
    expect(own).toEqual({ OWN_FIRST_MS: 1_000, OWN_ENABLED: false, OWN_NAME: 'n' });
    expect(platform).toMatchObject({ HOST: '127.0.0.1', DATA_DIR: '.tidegate' });
    expect(platform.PORT).toBeUndefined();
  });

  it('let 10 000 instances with one key tell that they live, and connect meanwhile', () => {
    const { platform } = readConfig(enough, Own);
    const heartbeats = 10_000 * 12;
    const connections = 10_000;
    const most = platform.RATE_LIMIT_HEARTBEATS_PER_MINUTE;
    expect(most).toBeGreaterThanOrEqual(heartbeats + connections);
  });

  it('are read as what they are', () => {
    const env = { ...enough, OWN_ENABLED: 'no', PORT: '8080', STORE_URL: 'sqlite:data/s.db' };
    const { platform, own } = readConfig(env, Own);
    expect(own.OWN_ENABLED).toBe(false);
    expect(platform.PORT).toBe(8_080);
    expect(platform.STORE_URL).toEqual({ driver: 'sqlite', file: 'data/s.db' });
  });

  it('of both kinds are complained of in one message, also what two of them disagree on', () => {
    const env = {
      ADMIN_API_KEY: 'short',
      PORT: '99999',
      OWN_ENABLED: 'perhaps',
      OWN_FIRST_MS: '9000',
    };
    expect(
      problemsOf(env)
        .split('\n')
        .map((line) => line.trim().split(':')[0]),
    ).toEqual(['Options are wrong', 'PORT', 'ADMIN_API_KEY', 'OWN_ENABLED', 'OWN_NAME']);
    expect(problemsOf({ ...enough, OWN_FIRST_MS: '9000' })).toContain(
      'OWN_FIRST_MS cannot be so long',
    );
  });

  it('must name a key: a service that nobody can use does not start', () => {
    expect(problemsOf({ OWN_NAME: 'n' })).toContain('ADMIN_API_KEY or API_KEYS_FILE is needed');
    expect(problemsOf({ OWN_NAME: 'n', API_KEYS_FILE: 'keys' })).toBe('none');
  });

  it('must not put processes that share one of bus and store on an own other one', () => {
    const kafka = { ...enough, BUS_URL: 'kafka://h1:9092' };
    const mongodb = { ...enough, STORE_URL: 'mongodb://h1/tidegate' };
    expect(problemsOf(kafka)).toContain('STORE_URL is needed with a BUS_URL of kafka://');
    expect(problemsOf(mongodb)).toContain('BUS_URL is needed with a STORE_URL of mongodb://');
    expect(problemsOf({ ...kafka, ...mongodb })).toBe('none');
    expect(problemsOf({ ...kafka, STORE_URL: 'sqlite:one.db' })).toBe('none');
  });

  it('of whom to page are both there, or neither, and hold no password in the address', () => {
    const url = { PAGER_WEBHOOK_URL: 'https://pager.example/hook' };
    const secret = { PAGER_WEBHOOK_SECRET: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' };
    const both = 'PAGER_WEBHOOK_URL and PAGER_WEBHOOK_SECRET go together';
    expect(problemsOf({ ...enough, ...url })).toContain(both);
    expect(problemsOf({ ...enough, ...secret })).toContain(both);
    expect(problemsOf({ ...enough, ...url, ...secret })).toBe('none');
    const leaky = { PAGER_WEBHOOK_URL: 'https://me:hush@pager.example/hook' };
    expect(problemsOf({ ...enough, ...leaky, ...secret })).toMatch(/must not hold a user/);
    expect(problemsOf({ ...enough, ...leaky, ...secret })).not.toContain('hush');
  });

  it('never repeat a secret in what they complain of', () => {
    for (const env of [
      { ADMIN_API_KEY: 'hunter2' },
      { BUS_URL: 'kafka://user:hunter2@h1?sasl=plain' },
      { BUS_URL: 'kafka://user:hunter2/@h1:9092' },
      { STORE_URL: 'mongo://user:hunter2@h1/tidegate' },
      { STORE_URL: 'mongodb://user:hunter2@h1/tide gate' },
      { REDIS_URL: 'http://:hunter2@h1' },
    ]) {
      const problems = problemsOf({ OWN_NAME: 'n', ...env });
      expect(problems).toContain(Object.keys(env)[0]);
      expect(problems).not.toContain('hunter2');
    }
  });
});

const malformed = { code: 'DRIVER_URL_MALFORMED' };

describe('the address of a bus', () => {
  it.each([
    ['sqlite:.tidegate/bus.db', { driver: 'sqlite', file: '.tidegate/bus.db' }],
    ['sqlite:/var/lib/bus.db', { driver: 'sqlite', file: '/var/lib/bus.db' }],
    ['kafka://h1:9092,h2:9092', { driver: 'kafka', brokers: ['h1:9092', 'h2:9092'] }],
    ['kafka:h1:9092', malformed],
    ['kafka://h1', malformed],
    ['mongodb://h1/tidegate', malformed],
    ['sqlite:', malformed],
    ['sqlite://bus.db', malformed],
    ['bus.db', malformed],
  ])('%s', (text, expected) => {
    expect(readBusUrl(text)).toMatchObject(expected);
  });
});

describe('the address of a store', () => {
  it.each([
    ['sqlite:.tidegate/store.db', { driver: 'sqlite', file: '.tidegate/store.db' }],
    ...[
      'mongodb://h1/tidegate',
      'mongodb://user:p%40ss@h1:27017,h2:27017/tidegate?replicaSet=rs0',
      'mongodb+srv://cluster.example',
    ].map((url) => [url, { driver: 'mongodb', url }] as const),
    ['mongodb://', malformed],
    ['mongodb:///tidegate', malformed],
    ['mongodb:h1', malformed],
    ['kafka://h1:9092', malformed],
    ['sqlite:', malformed],
    ['sqlite://store.db', malformed],
    ['postgres://h1', malformed],
  ])('%s', (text, expected) => {
    expect(readStoreUrl(text)).toMatchObject(expected);
  });
});

describe('the table of options', () => {
  it('has a row for each, with its default as it would be written', () => {
    expect(configTable(Own)).toEqual([
      { name: 'OWN_FIRST_MS', default: '1000', required: false, description: 'First wait.' },
      {
        name: 'OWN_ENABLED',
        default: 'false',
        required: false,
        description: 'Whether it does anything.',
      },
      { name: 'OWN_NAME', required: true, description: 'Its name.' },
      { name: 'OWN_NOTE', required: false, description: 'Anything.' },
    ]);
  });

  it('describes every option of the platform', () => {
    for (const row of configTable(PlatformConfig)) expect(row.description).toMatch(/^\S.*\.$/);
  });

  it('becomes Markdown, and an example that starts a service once it is filled in', () => {
    expect(configMarkdown(Own)).toContain('| `OWN_NAME` | *needed* | Its name. |');
    expect(envExample(Own)).toContain('# First wait.\n# OWN_FIRST_MS=1000\n');
    expect(envExample(Own)).toContain('# Its name.\nOWN_NAME=\n');
  });
});
