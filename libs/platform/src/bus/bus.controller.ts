import { Controller, Get, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Bus, PartitionLag } from '@tidegate/bus';
import { reject, type Rejection } from '@tidegate/kernel';
import { z } from 'zod';
import type { Caller } from '../auth/access.ts';
import { RequireRole, Who } from '../auth/decorators.nest.ts';
import { type Page, pageOf, type PageQuery, pageQuery } from '../http/page.ts';
import { ZodParam, ZodQuery } from '../http/parameters.nest.ts';
import type { ServiceContext } from '../service.ts';
import { SERVICE_CONTEXT } from '../tokens.ts';
import { deadLetterBody } from './dead-letter-body.ts';

type Body = ReturnType<typeof deadLetterBody>;
const id = z.string().min(1).max(200);

/** What the bus holds, for an operator: lag and dead letters of all groups it knows. */
@ApiTags('bus')
@Controller('v1/bus')
export class BusController {
  readonly #bus: Bus;

  constructor(@Inject(SERVICE_CONTEXT) context: ServiceContext) {
    this.#bus = context.bus;
  }

  @Get('lag')
  @RequireRole('operator')
  async lag(): Promise<Page<PartitionLag>> {
    return { items: await this.#bus.lag() };
  }

  @Get('dead-letters')
  @RequireRole('operator', { everyEnvironment: true })
  async list(@ZodQuery(pageQuery) { limit, after }: PageQuery): Promise<Page<Body>> {
    const page = { limit: limit + 1, ...(after === undefined ? {} : { after }) };
    const found = await this.#bus.deadLetters.list(page);
    return pageOf(found.map(deadLetterBody), limit, (letter) => letter.id);
  }

  @Get('dead-letters/:id')
  @RequireRole('operator', { everyEnvironment: true })
  async show(@ZodParam('id', id) letterId: string): Promise<Body | Rejection> {
    const letter = await this.#bus.deadLetters.find(letterId);
    return letter
      ? deadLetterBody(letter)
      : reject('BUS_DEAD_LETTER_UNKNOWN', `There is no dead letter ${letterId}.`);
  }

  /** Delivers it again, to the one group that could not handle it. */
  @Post('dead-letters/:id/replay')
  @HttpCode(202)
  @RequireRole('operator', { everyEnvironment: true })
  async replay(
    @ZodParam('id', id) letterId: string,
    @Who() caller: Caller,
  ): Promise<{ id: string; replayedBy: string }> {
    await this.#bus.deadLetters.replay(letterId, caller.name);
    return { id: letterId, replayedBy: caller.name };
  }
}
