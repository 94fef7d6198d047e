import type { ExecutionContext } from '@nestjs/common';
import { AppError, messageOf } from '@tidegate/kernel';
import type { EvaluationContext } from '@tidegate/evaluation';
import type { SdkErrorCode } from '../errors.ts';
import type { Report } from '../report.ts';
import { endpointOf, type HttpRequest, isHttp, requestOf } from './http-request.ts';

/** Who asks, by the request. Annotate the parameter with your adapter's type of request. */
export interface RequestContextOptions {
  targetingKey?(request: HttpRequest): string | undefined;
  /** For rules: tenant, plan, country … */
  attributes?(request: HttpRequest): Readonly<Record<string, unknown>>;
}

/** The context of each request: `endpoint`, `method`, and what the application says about who asks. */
export class RequestContexts {
  readonly #options: RequestContextOptions;
  readonly #report: Report;

  constructor(options: RequestContextOptions, report: Report) {
    this.#options = options;
    this.#report = report;
  }

  /** Of what is no HTTP request nothing is known here. */
  of(context: ExecutionContext): EvaluationContext | undefined {
    if (!isHttp(context)) return undefined;
    const request = requestOf(context);
    const attributes = this.#asked(() => this.#options.attributes?.(request));
    const targetingKey = this.#asked(() => this.#options.targetingKey?.(request));
    return {
      ...attributes,
      endpoint: endpointOf(request),
      method: request.method,
      ...(targetingKey === undefined ? {} : { targetingKey }),
    };
  }

  /** The application's function may fail on a request that nobody foresaw: that is reported and costs its answer alone. */
  #asked<T>(ask: () => T): T | undefined {
    try {
      return ask();
    } catch (cause) {
      const sentence = `requestContext failed: ${messageOf(cause)}`;
      this.#report(new AppError<SdkErrorCode>('SDK_LISTENER_FAILED', sentence, { cause }));
      return undefined;
    }
  }
}
