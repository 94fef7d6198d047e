import { AppError, messageOf } from '@tidegate/kernel';
import type { KeyObject } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Findings } from './findings.ts';
import { publicKey } from './seal-file.ts';

/** Public keys by their ids. */
export type Keys = ReadonlyMap<string, KeyObject>;

/** Keys that the caller trusts. Thrown CLI_FILE_UNREADABLE. */
export async function givenKeys(files: readonly string[]): Promise<Keys> {
  const keys = new Map<string, KeyObject>();
  for (const file of files) {
    try {
      const { id, key } = publicKey(await readFile(file, 'utf8'));
      keys.set(id, key);
    } catch (error) {
      throw new AppError(
        'CLI_FILE_UNREADABLE',
        `${file} is not a public key in PEM: ${messageOf(error)}`,
        { cause: error },
      );
    }
  }
  return keys;
}

/** The keys that the archive has with it. */
export async function keysIn(folder: string, findings: Findings): Promise<Keys> {
  const keys = new Map<string, KeyObject>();
  for (const name of await namesIn(join(folder, 'keys'))) {
    if (!name.endsWith('.pem')) continue;
    const file = `keys/${name}`;
    try {
      const text = await readFile(join(folder, file), 'utf8');
      const { id, key } = publicKey(text);
      if (name !== `${id.replace(':', '-')}.pem` || key.export(PEM) !== text)
        throw new TypeError('it is not the key that its name says');
      keys.set(id, key);
    } catch (error) {
      const message = `The public key ${file} cannot be used: ${messageOf(error)}.`;
      findings.add({ kind: 'key-unusable', file, message });
    }
  }
  return keys;
}

const PEM = { type: 'spki', format: 'pem' } as const;

/** Names in a folder, in order; none if there is no such folder. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
