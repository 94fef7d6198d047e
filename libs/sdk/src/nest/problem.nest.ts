import { type ExecutionContext, HttpException } from '@nestjs/common';
import { type HttpReply, isHttp } from './http-request.ts';

/** RFC 9457. */
export interface Problem {
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly errors?: readonly object[];
}

/** To be thrown: Nest's own filter sends it as problem+json; a filter of the application's may say it in its own way. */
export function problem(context: ExecutionContext, body: Problem): HttpException {
  if (isHttp(context))
    context
      .switchToHttp()
      .getResponse<HttpReply>()
      .header('content-type', 'application/problem+json; charset=utf-8');
  return new HttpException({ type: 'about:blank', ...body }, body.status, {
    description: body.detail,
  });
}
