import { Body, Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { name, SignalReported } from '@tidegate/contracts';
import { isAppError, type Rejection } from '@tidegate/kernel';
import {
  ApiBodyOf,
  type Caller,
  commandFrom,
  NeverLimited,
  RequireRole,
  SERVICE_CONTEXT,
  type ServiceContext,
  Who,
  ZodBody,
  ZodParam,
  ZodQuery,
} from '@tidegate/platform';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { SIGNALS } from '../tokens.ts';
import { readForeign, signalBody, signalQuery } from './signal-body.ts';
import type { Signals } from './signals.handler.ts';

type Asking = Parameters<typeof commandFrom>[4];

/** What outside systems have noticed. It goes over the topic, where it is kept while the store is away. */
@Controller('v1/signals')
export class SignalController {
  readonly #context: ServiceContext;
  readonly #signals: Signals;

  constructor(@Inject(SERVICE_CONTEXT) context: ServiceContext, @Inject(SIGNALS) signals: Signals) {
    this.#context = context;
    this.#signals = signals;
  }

  /** 202 once the topic has it; it is then counted, once, and the rollouts that it concerns are looked at. */
  @Post()
  @HttpCode(202)
  @NeverLimited()
  @RequireRole('operator', { environmentIn: 'body' })
  report(
    @ZodBody(signalBody) body: z.output<typeof signalBody>,
    @Who() caller: Caller,
    @Req() request: FastifyRequest,
  ) {
    return this.#report(body, caller, request);
  }

  /**
   * For programs that send webhooks of their own form: the path names the signal, `environment`, `count` and `message` are
   * parameters, every other one is a label. A repeat is known by the header Idempotency-Key or webhook-id.
   */
  @Post(':signal')
  @HttpCode(202)
  @NeverLimited()
  @RequireRole('operator', { environmentIn: 'query' })
  @ApiBodyOf(z.json())
  webhook(
    @ZodParam('signal', name) signal: string,
    @ZodQuery(signalQuery) query: z.output<typeof signalQuery>,
    @Body() body: unknown,
    @Who() caller: Caller,
    @Req() request: FastifyRequest,
  ) {
    const { headers, commandId }: Asking = request;
    return this.#report({ signal, ...readForeign(query, body) }, caller, {
      headers,
      commandId: commandId ?? webhookId(headers['webhook-id']),
    });
  }

  async #report(
    data: SignalReported['data'],
    caller: Caller,
    request: Asking,
  ): Promise<{ readonly id: string } | Rejection> {
    const refusal = await this.#refusalOf(data);
    if (refusal) return refusal;
    const message = commandFrom(this.#context, SignalReported, data, caller, request);
    await this.#context.bus.publish([message]);
    return { id: message.metadata.id };
  }

  /** Only to tell whoever asks: while the store is away it is taken all the same, and counted later. */
  async #refusalOf(data: SignalReported['data']): Promise<Rejection | undefined> {
    try {
      return await this.#signals.refusalOf(data);
    } catch (error) {
      if (isAppError(error, 'STORE_UNREACHABLE')) return undefined;
      throw error;
    }
  }
}

const webhookId = (header: string | string[] | undefined): string | undefined =>
  typeof header === 'string' && /^[\x21-\x7e]{1,200}$/.test(header) ? header : undefined;
