import { z } from 'zod';

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
  LOG_FILE: z.string().optional().describe('File for the log; else DATA_DIR/tidegate.log.'),
});
