import { createPublicKey, verify } from 'node:crypto';
import { type Seal, signedBytes } from './seal.ts';

/** True if the holder of the key, public and PEM, signed the seal as it is. */
export const isSignedWith = (seal: Seal, publicPem: string): boolean =>
  verify(
    null,
    signedBytes(seal),
    createPublicKey(publicPem),
    Buffer.from(seal.signature, 'base64'),
  );
