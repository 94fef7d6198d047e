import { Body, Controller, HttpCode, Inject, Param, Post, Res } from '@nestjs/common';
import { name } from '@tidegate/contracts';
import type { Rejection } from '@tidegate/kernel';
import {
  ApiBodyOf,
  type Caller,
  requireEnvironment,
  RequireRole,
  Who,
  ZodParam,
} from '@tidegate/platform';
import type { FastifyReply } from 'fastify';
import { environmentUnknown } from '../environment/environments.handler.ts';
import { DEFAULT_ENVIRONMENT, FLAG_VIEWS } from '../tokens.ts';
import type { FlagViews } from '../view/flag-views.handler.ts';
import { evaluateOfrep, ofrepBody } from './ofrep.ts';

/** OpenFeature Remote Evaluation Protocol, for every language that has an OpenFeature SDK. */
@Controller()
export class OfrepController {
  readonly #views: FlagViews;
  readonly #defaultEnvironment: string;

  constructor(
    @Inject(FLAG_VIEWS) views: FlagViews,
    @Inject(DEFAULT_ENVIRONMENT) defaultEnvironment: string,
  ) {
    this.#views = views;
    this.#defaultEnvironment = defaultEnvironment;
  }

  @Post('ofrep/v1/evaluate/flags/:key')
  @HttpCode(200)
  @RequireRole('sdk')
  @ApiBodyOf(ofrepBody)
  evaluate(
    @Param('key') key: string,
    @Body() body: unknown,
    @Who() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    requireEnvironment(caller, this.#defaultEnvironment);
    return this.#evaluate(this.#defaultEnvironment, key, body, reply);
  }

  @Post('environments/:env/ofrep/v1/evaluate/flags/:key')
  @HttpCode(200)
  @RequireRole('sdk', { environment: 'env' })
  @ApiBodyOf(ofrepBody)
  evaluateIn(
    @ZodParam('env', name) environment: string,
    @Param('key') key: string,
    @Body() body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.#evaluate(environment, key, body, reply);
  }

  async #evaluate(
    environment: string,
    key: string,
    body: unknown,
    reply: FastifyReply,
  ): Promise<Readonly<Record<string, unknown>> | Rejection> {
    const flags = await this.#views.find(environment);
    if (!flags) return environmentUnknown(environment);
    const answer = evaluateOfrep(flags.evaluator(), key, body);
    reply.code(answer.status);
    return answer.body;
  }
}
