import type { DatabaseSync } from 'node:sqlite';
import { type DynamicModule, Module } from '@nestjs/common';
import type { Tidegate } from '@tidegate/sdk';
import { provideDualRead, TIDEGATE, TidegateModule } from '@tidegate/sdk/nest';
import { dualReadMetrics, exposureMetrics, modeMetrics } from '@tidegate/sdk/prometheus';
import { Faults } from './feature/faults.ts';
import { Metrics } from './feature/metrics.prometheus.ts';
import { OperationsController } from './feature/operations.controller.ts';
import { type Serve, serving } from './feature/serve.handler.ts';
import type { CheckoutOptions } from './options.ts';
import { type AmountOf, amountReadings } from './order/amount-of.ts';
import { CheckoutController } from './order/checkout.controller.ts';
import { Orders } from './order/orders.sqlite.ts';
import { placingOrders } from './order/place-order.handler.ts';
import { paying } from './payment/pay.handler.ts';
import { PaymentController } from './payment/payment.controller.ts';
import { Payments } from './payment/payments.sqlite.ts';
import { userOf } from './feature/user.ts';
import { FAULTS, METRICS, PAY, PLACE_ORDER } from './tokens.ts';

const SERVE = Symbol('SERVE');
const AMOUNT_OF = Symbol('AMOUNT_OF');

@Module({})
export class CheckoutModule {
  static with(options: CheckoutOptions, database: DatabaseSync): DynamicModule {
    const metrics = new Metrics();
    const faults = new Faults(Math.random);
    faults.set({ newPathErrorRate: options.newPathErrorRate });
    const orders = new Orders(database);
    orders.seed(options.seedOrders, Date.now());
    return {
      module: CheckoutModule,
      imports: [
        TidegateModule.forRoot({
          ...options.tidegate,
          requestContext: { targetingKey: ({ body }) => userOf(body) },
          observers: [exposureMetrics({ register: metrics.registry })],
          modeMetrics: modeMetrics({ register: metrics.registry, prefix: 'checkout_' }),
          dualReadMetrics: dualReadMetrics({ register: metrics.registry, prefix: 'checkout_' }),
        }),
      ],
      controllers: [CheckoutController, PaymentController, OperationsController],
      providers: [
        { provide: METRICS, useValue: metrics },
        { provide: FAULTS, useValue: faults },
        {
          provide: SERVE,
          inject: [TIDEGATE],
          useFactory: (flags: Tidegate): Serve =>
            serving({
              flags,
              flagOf: options.flags,
              faults,
              served: (outcome) => {
                metrics.served(outcome);
              },
            }),
        },
        {
          provide: PLACE_ORDER,
          inject: [SERVE],
          useFactory: (serve: Serve) =>
            placingOrders({
              orders,
              serve,
              faults,
              now: Date.now,
              violated: () => {
                metrics.violated();
              },
            }),
        },
        provideDualRead(AMOUNT_OF, { useFactory: () => amountReadings(orders) }),
        {
          provide: PAY,
          inject: [AMOUNT_OF, SERVE],
          useFactory: (amountOf: AmountOf, serve: Serve) =>
            paying(amountOf, new Payments(database), serve),
        },
      ],
    };
  }
}
