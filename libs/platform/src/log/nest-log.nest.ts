import type { LoggerService } from '@nestjs/common';
import { messageOf } from '@tidegate/kernel';
import type { Logger } from 'pino';

/** What Nest itself has to say, as lines of our log; its routine is worth no more than `debug`. */
export function nestLog(log: Logger): LoggerService {
  const at =
    (level: 'debug' | 'warn' | 'error') =>
    (message: unknown, ...rest: unknown[]): void => {
      const context = rest.findLast((each) => typeof each === 'string');
      const error = message instanceof Error ? { err: message } : {};
      log[level]({ context, ...error, said: messageOf(message) }, 'Nest says');
    };
  return {
    log: at('debug'),
    debug: at('debug'),
    verbose: at('debug'),
    warn: at('warn'),
    error: at('error'),
    fatal: at('error'),
  };
}
