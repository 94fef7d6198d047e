import { describe, expect, it } from '@jest/globals';
import { isRejection } from '@tidegate/kernel';
import { newApiKey, readApiKeys } from './api-key.ts';

const digest = (text: string): string => text.length.toString(16).padStart(64, '0');
const random = new Uint8Array(24).fill(171);
const line = (entry: object): string =>
  JSON.stringify({ sha256: 'a'.repeat(64), role: 'viewer', environments: ['*'], ...entry });
const problemsOf = (text: string): string => {
  const keys = readApiKeys(text);
  return isRejection(keys) ? keys.message : 'none';
};

describe('a new API key', () => {
  it('names its role, and its line for the file holds the digest and not the key', () => {
    const made = newApiKey(
      { name: 'ci', role: 'operator', environments: ['staging'] },
      random,
      digest,
    );
    if (isRejection(made)) throw new Error(made.message);
    expect(made.key).toBe(`tg_operator_${'ab'.repeat(24)}`);
    expect(made.line).not.toContain('abab');
    expect(readApiKeys(made.line)).toEqual([
      { name: 'ci', role: 'operator', environments: ['staging'], sha256: digest(made.key) },
    ]);
  });

  it('is refused for an application that would read several environments', () => {
    expect(
      newApiKey({ name: 'shop', role: 'sdk', environments: ['*'] }, random, digest),
    ).toMatchObject({
      code: 'API_KEY_MALFORMED',
      message: 'environments: an sdk key reads exactly one environment',
    });
  });
});

describe('a key file', () => {
  it('is a JSON array, or lines with comments between', () => {
    const ada = line({ name: 'ada' });
    expect(readApiKeys(`[${ada}]`)).toEqual(readApiKeys(`# people\n\n${ada}\r\n`));
    expect(readApiKeys('')).toEqual([]);
  });

  it('names every problem with its line, and never what stands there', () => {
    const text = [
      line({ name: 'ada', role: 'king' }),
      '{"name":"bob","key":"tg_admin_secret"',
      line({ name: 'eve', sha256: 'tg_admin_secret' }),
    ].join('\n');
    const problems = problemsOf(text);
    expect(problems).toMatch(/line 1: role.*line 2: is not JSON.*line 3: sha256: must be 64/);
    expect(problems).not.toContain('secret');
  });

  it('is refused when a name or a key is there twice, or the administrator is named', () => {
    expect(problemsOf(`${line({ name: 'ada' })}\n${line({ name: 'ada' })}`)).toBe(
      'ada: its name is there twice; ada: its sha256 is there twice',
    );
    expect(problemsOf(line({ name: 'admin' }))).toContain('is the name of ADMIN_API_KEY');
  });
});
