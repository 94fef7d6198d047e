import { createHash } from 'node:crypto';

/** Uniform in [0, 1), the same ones again for the same seed. */
export function seeded(seed: number): () => number {
  let drawn = 0;
  return () => {
    drawn += 1;
    const digest = createHash('sha256').update(`${seed}/${drawn}`).digest();
    return digest.readUInt32BE() / 2 ** 32;
  };
}
