import { AppError, messageOf } from '@tidegate/kernel';
import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { AuditErrorCode } from '../errors.ts';

export interface SigningKey {
  /** `ed25519:` and the first 16 hexadecimal digits of SHA-256 over the public key (SPKI, DER). */
  readonly id: string;
  /** SPKI in PEM. */
  readonly publicPem: string;
  /** Base64. */
  sign(bytes: Buffer): string;
}

/** The key in the file, PKCS #8 in PEM. Thrown AUDIT_KEY_INVALID. */
export async function readSigningKey(file: string): Promise<SigningKey> {
  try {
    return signingKey(createPrivateKey(await readFile(file, 'utf8')));
  } catch (error) {
    throw invalid(file, messageOf(error), error);
  }
}

/** The key in the file; when there is no file, a new one that only this user may read. Thrown AUDIT_KEY_INVALID. */
export async function openSigningKey(file: string): Promise<SigningKey> {
  await mkdir(dirname(file), { recursive: true });
  const { privateKey } = generateKeyPairSync('ed25519');
  try {
    const created = await open(file, 'wx', 0o600);
    try {
      await created.writeFile(privateKey.export({ type: 'pkcs8', format: 'pem' }));
      await created.sync();
    } finally {
      await created.close();
    }
    return signingKey(privateKey);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return readSigningKey(file);
    throw invalid(file, messageOf(error), error);
  }
}

function signingKey(key: KeyObject): SigningKey {
  if (key.asymmetricKeyType !== 'ed25519')
    throw new TypeError(`it is of type ${key.asymmetricKeyType}, not ed25519`);
  const publicKey = createPublicKey(key);
  const der = publicKey.export({ type: 'spki', format: 'der' });
  return {
    id: `ed25519:${hash('sha256', der).slice(0, 16)}`,
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    sign: (bytes) => sign(null, bytes, key).toString('base64'),
  };
}

const invalid = (file: string, why: string, cause: unknown): AppError<AuditErrorCode> =>
  new AppError('AUDIT_KEY_INVALID', `The signing key ${file} cannot be used: ${why}`, { cause });
