import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessWorld } from './process-world.ts';

/** Tells the story; when it does not end well, the services' logs are left where the error says. */
export async function logged(
  { house }: Pick<ProcessWorld, 'house'>,
  story: () => Promise<void>,
): Promise<void> {
  try {
    await story();
  } catch (error) {
    const folder = join('.tmp', 'faults', `${Date.now()}`);
    mkdirSync(folder, { recursive: true });
    for (const { name, log } of house().replicas)
      writeFileSync(join(folder, `${name.replace('/', '-')}.log`), log);
    if (error instanceof Error) error.message += `\nThe services' logs are in ${folder}.`;
    throw error;
  }
}
