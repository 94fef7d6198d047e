import { messageOf, reject, type Rejection } from '@tidegate/kernel';
import { z } from 'zod';

/** Each may do what those before it may; `sdk` only reads one environment for an application. */
export const roles = ['sdk', 'viewer', 'operator', 'approver', 'admin'] as const;
export type Role = (typeof roles)[number];

export const EVERY_ENVIRONMENT = '*';

/** The caller's name for `ADMIN_API_KEY`; no line of a key file may take it. */
export const ADMIN_KEY_NAME = 'admin';

/** One line of `API_KEYS_FILE`: the key itself is nowhere, only its SHA-256 in hex. */
export const apiKeyEntry = z
  .object({
    name: z
      .string()
      .regex(
        /^[A-Za-z0-9][A-Za-z0-9 ._@-]{0,99}$/,
        'must be 1 to 100 letters, digits, spaces or "._@-", beginning with a letter or digit',
      )
      .refine((name) => name !== ADMIN_KEY_NAME, 'is the name of ADMIN_API_KEY'),
    sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits in lower case'),
    role: z.enum(roles),
    /** `["*"]`: every environment. */
    environments: z.array(z.string().min(1)).min(1),
  })
  .refine(
    ({ role, environments }) =>
      role !== 'sdk' || (environments.length === 1 && environments[0] !== EVERY_ENVIRONMENT),
    { path: ['environments'], error: 'an sdk key reads exactly one environment' },
  );
export type ApiKeyEntry = z.output<typeof apiKeyEntry>;

export interface NewApiKey {
  /** `tg_<role>_<hex>`: shown once, kept by whoever uses it. */
  readonly key: string;
  /** For `API_KEYS_FILE`. */
  readonly line: string;
}

/**
 * A key and its line for the file. Refused with API_KEY_MALFORMED.
 * @param random at least 24 bytes from a cryptographic source
 * @param sha256 hex digest, in lower case, of the UTF-8 of a text
 */
export function newApiKey(
  wanted: Omit<ApiKeyEntry, 'sha256'>,
  random: Uint8Array,
  sha256: (text: string) => string,
): NewApiKey | Rejection {
  if (random.length < 24) throw new RangeError('A key needs at least 24 random bytes.');
  const secret = Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const key = `tg_${wanted.role}_${secret}`;
  const entry = apiKeyEntry.safeParse({ ...wanted, sha256: sha256(key) });
  if (!entry.success)
    return reject('API_KEY_MALFORMED', entry.error.issues.map(issueText).join('; '));
  return { key, line: JSON.stringify(entry.data) };
}

/**
 * Entries of a key file: a JSON array, or one JSON object per line with blank lines and `#` comments between.
 * Refused with API_KEYS_MALFORMED; the message names every problem with its line or index, never a value.
 */
export function readApiKeys(text: string): readonly ApiKeyEntry[] | Rejection {
  const raw = text.trimStart().startsWith('[') ? fromArray(text) : fromLines(text);
  const entries: ApiKeyEntry[] = [];
  const problems: string[] = [];
  for (const { at, value, problem } of raw) {
    const entry = apiKeyEntry.safeParse(value);
    if (problem !== undefined) problems.push(`${at}: ${problem}`);
    else if (entry.success) entries.push(entry.data);
    else problems.push(...entry.error.issues.map((issue) => `${at}: ${issueText(issue)}`));
  }
  problems.push(...twice(entries, 'name'), ...twice(entries, 'sha256'));
  return problems.length === 0 ? entries : reject('API_KEYS_MALFORMED', problems.join('; '));
}

interface Raw {
  readonly at: string;
  readonly value?: unknown;
  readonly problem?: string;
}

function fromArray(text: string): Raw[] {
  const { value, problem } = parse(text);
  if (problem !== undefined) return [{ at: 'file', problem }];
  return (value as unknown[]).map((entry, index) => ({ at: `entry ${index + 1}`, value: entry }));
}

function fromLines(text: string): Raw[] {
  return text
    .split('\n')
    .map((line, index) => ({ line: line.trim(), at: `line ${index + 1}` }))
    .filter(({ line }) => line !== '' && !line.startsWith('#'))
    .map(({ line, at }) => ({ at, ...parse(line) }));
}

function parse(text: string): { value?: unknown; problem?: string } {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    // The parser's own sentence quotes the text around the fault, which may be a key.
    return { problem: `is not JSON (${messageOf(error).replace(/"[\s\S]*"|'[\s\S]*'/, '…')})` };
  }
}

const issueText = (issue: z.core.$ZodIssue): string =>
  issue.path.length === 0 ? issue.message : `${issue.path.join('.')}: ${issue.message}`;

function twice(entries: readonly ApiKeyEntry[], field: 'name' | 'sha256'): string[] {
  const seen = new Set<string>();
  const found: string[] = [];
  for (const entry of entries) {
    if (seen.has(entry[field])) found.push(`${entry.name}: its ${field} is there twice`);
    seen.add(entry[field]);
  }
  return found;
}
