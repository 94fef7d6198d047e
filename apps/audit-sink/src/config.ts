import { z } from 'zod';

const positive = z.coerce.number().int().positive();

export const Config = z.object({
  DATA_DIR: z.string().default('.tidegate').describe('Folder under which audit/ is kept.'),
  AUDIT_ARCHIVE_DIR: z
    .string()
    .optional()
    .describe('Folder of the archive; else audit/archive in DATA_DIR.'),
  AUDIT_SIGNING_KEY_FILE: z
    .string()
    .optional()
    .describe(
      'Ed25519 key that seals are signed with, PKCS #8 in PEM; else one is made in DATA_DIR.',
    ),
  AUDIT_SEAL_EVERY_RECORDS: positive
    .default(10_000)
    .describe('Seal at once when so many records have come since the last seal.'),
  AUDIT_SEAL_EVERY_MS: positive
    .default(60_000)
    .describe('Seal when so much time has passed since the last seal and a record has come.'),
});
export type Config = z.output<typeof Config>;
