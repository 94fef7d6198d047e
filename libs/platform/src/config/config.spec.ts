import { describe, expect, it } from '@jest/globals';
import { isAppError } from '@tidegate/kernel';
import { z } from 'zod';
import { configMarkdown, configTable, envExample } from './config-table.ts';
import { readConfig } from './config.ts';
import { readDriverUrl } from './driver-url.ts';
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

describe('options', () => {
  it('have defaults, and what is set to nothing counts as not set', () => {
    const { platform, own } = readConfig({ ...enough, PORT: '', OWN_ENABLED: '' }, Own);
    expect(own).toEqual({ OWN_FIRST_MS: 1_000, OWN_ENABLED: false, OWN_NAME: 'n' });
    expect(platform).toMatchObject({ HOST: '127.0.0.1', DATA_DIR: '.tidegate' });
    expect(platform.PORT).toBeUndefined();
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

  it('never repeat a secret in what they complain of', () => {
    expect(problemsOf({ OWN_NAME: 'n', ADMIN_API_KEY: 'hunter2' })).not.toContain('hunter2');
  });
});

describe('a driver URL', () => {
  it.each([
    ['sqlite:.tidegate/bus.db', { driver: 'sqlite', file: '.tidegate/bus.db' }],
    ['sqlite:/var/lib/bus.db', { driver: 'sqlite', file: '/var/lib/bus.db' }],
    ['kafka://h1:9092,h2:9092', { code: 'DRIVER_NOT_YET' }],
    ['mongodb://h1/tidegate', { code: 'DRIVER_NOT_YET' }],
    ['sqlite:', { code: 'DRIVER_URL_MALFORMED' }],
    ['sqlite://bus.db', { code: 'DRIVER_URL_MALFORMED' }],
    ['postgres://h1', { code: 'DRIVER_URL_MALFORMED' }],
    ['bus.db', { code: 'DRIVER_URL_MALFORMED' }],
  ])('%s', (text, expected) => {
    expect(readDriverUrl(text)).toMatchObject(expected);
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
