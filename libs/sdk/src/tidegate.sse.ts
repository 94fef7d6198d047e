import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { TidegateClient } from './client.loop.ts';
import { SseFlagSource } from './flag-source.sse.ts';
import { settingsOf, type TidegateOptions } from './options.ts';
import { reportTo } from './report.ts';
import type { Tidegate } from './tidegate.port.ts';

/**
 * Begins to hold the flags of one environment, over flag-service's stream, and keeps them current until
 * `close()`. One client serves the whole process. Thrown SDK_OPTIONS_INVALID; afterwards nothing throws.
 */
export function createTidegate(options: TidegateOptions): Tidegate {
  const settings = settingsOf(options, `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`);
  return new TidegateClient(
    settings.staleAfterMs,
    reportTo(settings.onError),
    (sink) => new SseFlagSource(settings, sink),
  );
}
