import { messageOf } from '@tidegate/kernel';
import type { z } from 'zod';
import type { RunningService, ServiceDefinition } from '../service.ts';
import { startService, type StartOptions } from './start-service.nest.ts';

/**
 * The whole of a `main.ts`: starts the service with the process's environment and stops it on SIGTERM or SIGINT.
 * Exit codes: 0 after a clean stop, 1 when it did not start (the reason is on stderr), hung, or stopped uncleanly.
 */
export async function runService<C extends z.ZodType>(
  definition: ServiceDefinition<C>,
  options: Pick<StartOptions, 'shared'> = {},
): Promise<void> {
  let running: RunningService;
  const end = (code: number, sentence?: string): never => {
    if (sentence !== undefined) process.stderr.write(`${definition.name}: ${sentence}\n`);
    process.exit(code);
  };
  try {
    running = await startService(definition, {
      ...options,
      endProcess: (reason) => end(1, reason),
    });
  } catch (error) {
    return end(1, messageOf(error));
  }
  const stop = (): void => {
    running.stop().then(
      () => end(0),
      (error: unknown) => end(1, messageOf(error)),
    );
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
}
