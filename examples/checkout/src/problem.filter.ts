import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  HttpException,
  Logger,
} from '@nestjs/common';
import { isAppError, messageOf } from '@tidegate/kernel';
import type { FastifyReply } from 'fastify';

const STATUSES: Readonly<Record<string, number>> = {
  CHECKOUT_BODY_INVALID: 400,
  CHECKOUT_FAULT_INJECTED: 500,
};

/** What a guard's refusal says itself: code, detail, the violations. */
function saidBy(error: unknown): object {
  const said = error instanceof HttpException ? error.getResponse() : undefined;
  return typeof said === 'object' && 'code' in said ? said : {};
}

/** Everything that was thrown, as problem+json. What nobody foresaw is logged; injected faults are not. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #log = new Logger('checkout');

  catch(error: unknown, host: ArgumentsHost): void {
    const known = isAppError(error) ? STATUSES[error.code] : undefined;
    const status = known ?? (error instanceof HttpException ? error.getStatus() : 500);
    if (known === undefined && status >= 500) this.#log.error(error);
    void host
      .switchToHttp()
      .getResponse<FastifyReply>()
      .status(status)
      .type('application/problem+json')
      .send({
        status,
        code: isAppError(error) ? error.code : 'CHECKOUT_FAILED',
        detail: known === undefined && status >= 500 ? 'Something failed.' : messageOf(error),
        ...saidBy(error),
      });
  }
}
