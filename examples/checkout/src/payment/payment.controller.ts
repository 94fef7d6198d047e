import { Body, Controller, Inject, Post, Res } from '@nestjs/common';
import type { Rejection } from '@tidegate/kernel';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { BodyOf } from '../body.pipe.ts';
import { statusOf } from '../feature/feature.ts';
import { PAY } from '../tokens.ts';
import type { Paid, Pay } from './pay.handler.ts';

const payment = z.object({ userId: z.string().min(1).max(200), orderId: z.int().min(1) });

@Controller('payments')
export class PaymentController {
  readonly #pay: Pay;

  constructor(@Inject(PAY) pay: Pay) {
    this.#pay = pay;
  }

  @Post()
  pay(
    @Body(new BodyOf(payment)) { orderId }: z.output<typeof payment>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Paid | Rejection {
    const paid = this.#pay(orderId);
    reply.status(statusOf(paid));
    return paid;
  }
}
