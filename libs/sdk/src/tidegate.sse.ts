import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { TidegateClient } from './client.loop.ts';
import { bootstrapOf } from './bootstrap.file.ts';
import { HttpFlagSource } from './flag-source.http.ts';
import { settingsOf, type TidegateOptions } from './options.ts';
import { reportTo } from './report.ts';
import type { Tidegate } from './tidegate.port.ts';

/**
 * Begins to hold the flags of one environment, over flag-service's stream or polled, and keeps them current until
 * `close()`. One client serves the whole process. Thrown SDK_OPTIONS_INVALID; afterwards nothing throws.
 */
export function createTidegate(options: TidegateOptions): Tidegate {
  const settings = settingsOf(options, `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`);
  const { staleAfterMs, notReadyAfterMs, bootstrap, environment } = settings;
  return new TidegateClient(
    staleAfterMs,
    reportTo(settings.onError),
    (sink) => new HttpFlagSource(settings, sink),
    { notReadyAfterMs, keep: bootstrap && { bootstrap: bootstrapOf(bootstrap), environment } },
  );
}
