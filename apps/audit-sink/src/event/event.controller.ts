import { Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { SecurityEventRecorded } from '@tidegate/contracts';
import {
  ApiAnswer,
  type Caller,
  commandFrom,
  RequireRole,
  SERVICE_CONTEXT,
  type ServiceContext,
  Who,
  ZodBody,
} from '@tidegate/platform';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';

const received = z.object({ id: z.string() });

/** Audit events of other systems. `Idempotency-Key` becomes the event's id. */
@ApiTags('events')
@Controller('v1/events')
export class EventController {
  readonly #context: ServiceContext;

  constructor(@Inject(SERVICE_CONTEXT) context: ServiceContext) {
    this.#context = context;
  }

  /** Answers when the event is durable; it is in the log soon after. */
  @Post()
  @HttpCode(202)
  @RequireRole('sdk')
  @ApiAnswer(202, received)
  async receive(
    @ZodBody(SecurityEventRecorded.schema) data: z.output<typeof SecurityEventRecorded.schema>,
    @Who() caller: Caller,
    @Req() request: FastifyRequest,
  ): Promise<z.output<typeof received>> {
    const event = commandFrom(this.#context, SecurityEventRecorded, data, caller, request);
    await this.#context.bus.publish([event]);
    return { id: event.metadata.id };
  }
}
