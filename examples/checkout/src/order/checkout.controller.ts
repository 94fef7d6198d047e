import { Body, Controller, Inject, Post, Res } from '@nestjs/common';
import type { Rejection } from '@tidegate/kernel';
import { ModeGuard } from '@tidegate/sdk/nest';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { BodyOf } from '../body.pipe.ts';
import { statusOf } from '../feature/feature.ts';
import { cartViolations } from './cart-rules.ts';
import { PLACE_ORDER } from '../tokens.ts';
import type { PlacedOrder, PlaceOrder } from './place-order.handler.ts';

const cart = z.object({
  userId: z.string().min(1).max(200),
  items: z
    .array(
      z.object({
        sku: z.string().min(1).max(200),
        price: z.int().min(0).max(10_000_00),
        quantity: z.int().min(1).max(100),
      }),
    )
    .min(1)
    .max(100),
});

const CARTS_DEPRECATED_AT = new Date('2026-06-01T00:00:00Z');

@Controller('checkout')
export class CheckoutController {
  readonly #placeOrder: PlaceOrder;

  constructor(@Inject(PLACE_ORDER) placeOrder: PlaceOrder) {
    this.#placeOrder = placeOrder;
  }

  @Post()
  @ModeGuard('cart-rules', { validate: cartViolations, deprecatedAt: CARTS_DEPRECATED_AT })
  checkout(
    @Body(new BodyOf(cart)) { userId, items }: z.output<typeof cart>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): PlacedOrder | Rejection {
    const placed = this.#placeOrder(userId, items);
    reply.status(statusOf(placed));
    return placed;
  }
}
