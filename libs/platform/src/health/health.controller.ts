import { Controller, Get, Header, Inject, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Public } from '../auth/decorators.nest.ts';
import { NeverLimited } from '../limits/limits.nest.ts';
import { HEALTH, METRICS_TEXT } from '../tokens.ts';
import type { Health } from './health.handler.ts';
import type { Readiness } from './health.ts';

@ApiExcludeController()
@Public()
@Controller()
export class HealthController {
  readonly #health: Health;
  readonly #metricsText: () => Promise<string>;

  constructor(@Inject(HEALTH) health: Health, @Inject(METRICS_TEXT) text: () => Promise<string>) {
    this.#health = health;
    this.#metricsText = text;
  }

  @Get('health/live')
  @NeverLimited('everybody')
  live(): { status: string } {
    return { status: 'live' };
  }

  @Get('health/ready')
  @NeverLimited('everybody')
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<Readiness> {
    const readiness = await this.#health.readiness();
    reply.code(readiness.status === 'ready' ? 200 : 503);
    return readiness;
  }

  @Get('metrics')
  @NeverLimited('everybody')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  metrics(): Promise<string> {
    return this.#metricsText();
  }
}
