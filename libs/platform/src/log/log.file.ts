import { type Logger, type LoggerOptions, pino } from 'pino';
import { traceFields } from '../telemetry/trace.ts';
import { LineFile } from './line-file.file.ts';

export interface LogOptions {
  readonly level: string;
  /** Standard output without it. */
  readonly file?: string | undefined;
  /** Left out where several services share a log: each line then says whose it is. */
  readonly service?: string | undefined;
}

export interface Log {
  readonly log: Logger;
  /** Writes what is still in memory, at once. */
  flush(): void;
  /** Also closes the file. */
  close(): Promise<void>;
}

const SECRETS = ['authorization', 'apiKey', 'secret', 'password', 'token'];

/** What every line looks like. */
export const logSettings = ({
  level,
  service,
}: Pick<LogOptions, 'level' | 'service'>): LoggerOptions => ({
  level,
  base: service === undefined ? null : { service },
  timestamp: pino.stdTimeFunctions.isoTime,
  formatters: { level: (label) => ({ level: label }) },
  mixin: traceFields,
  redact: {
    paths: SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
    censor: '[secret]',
  },
});

/** JSON lines: a constant sentence in `msg`, fields beside it, and the trace they belong to. Secrets are cut out. */
export function openLog({ level, file, service }: LogOptions): Log {
  const lines = new LineFile(file);
  return {
    log: pino(logSettings({ level, service }), lines),
    flush: () => lines.flush(),
    close: () => lines.close(),
  };
}
