import { z } from 'zod';

/** It has one bus and one store, in its folder: an address of others would silently be left unused. */
const notHere = z
  .string()
  .optional()
  .refine((url) => url === undefined, {
    error: 'is for services that run as processes of their own; standalone keeps all in DATA_DIR',
  });

/** What standalone itself reads; the services' own options work as well. */
export const Config = z.object({
  DATA_DIR: z.string().min(1).default('.tidegate').describe('Folder for everything that is kept.'),
  PORT_BASE: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_500)
    .default(7_400)
    .describe('Services listen on this port + 1 … + 5; 0: on any free ones.'),
  ADMIN_API_KEY: z
    .string()
    .min(16, 'must have at least 16 characters')
    .optional()
    .describe('A key with the role admin; else one is made and kept in DATA_DIR/admin.key.'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('Least level that is logged.'),
  BUS_URL: notHere,
  STORE_URL: notHere,
  LOG_FILE: z.string().optional().describe('File for the log; else DATA_DIR/tidegate.log.'),
});
