import { join } from 'node:path';
import { start } from './process.ts';

const ADMIN_API_KEY = 'tg_admin_of_the_spec';

/** One service as a process of its own, on files in the folder: what the CLI needs to find and to use it. */
export async function startLoneService(
  app: string,
  folder: string,
): Promise<Readonly<Record<string, string>>> {
  const program = start(`apps/${app}/dist/main.js`, [], {
    PORT: '0',
    ADMIN_API_KEY,
    BUS_URL: `sqlite:${join(folder, 'bus.db')}`,
    STORE_URL: `sqlite:${join(folder, 'store.db')}`,
  });
  const output = await program.printed(/"url":"http[^"]+".*the service is ready/);
  const url = /"url":"(http[^"]+)".*the service is ready/.exec(output)?.[1] ?? '';
  const name = app.toUpperCase().replaceAll('-', '_');
  return { [`TIDEGATE_${name}_URL`]: url, TIDEGATE_KEY: ADMIN_API_KEY };
}
