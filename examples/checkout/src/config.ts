import { AppError } from '@tidegate/kernel';
import { z } from 'zod';
import type { CheckoutOptions } from './options.ts';

const flagKey = z.string().min(1);

const Config = z.object({
  PORT: z.coerce.number().int().min(0).max(65_535).default(7410).describe('0: any free port.'),
  HOST: z.string().default('127.0.0.1').describe('Address to listen on.'),
  TIDEGATE_URL: z
    .url({ protocol: /^https?$/ })
    .default('http://127.0.0.1:7401')
    .describe('Of flag-service.'),
  TIDEGATE_KEY: z.string().min(1).describe('An SDK key of the environment.'),
  TIDEGATE_ENVIRONMENT: z.string().default('production').describe('Whose flags to ask.'),
  WAIT_FOR_FLAGS_MS: z.coerce
    .number()
    .int()
    .min(0)
    .default(3_000)
    .describe('How long the start waits for flags before it goes on without.'),
  CHECKOUT_FLAG: flagKey.default('checkout-v2').describe('Opens the new pricing.'),
  PAYMENT_FLAG: flagKey.default('express-pay').describe('Opens payment in one step.'),
  DATABASE_FILE: z.string().min(1).default('checkout.db').describe('SQLite file.'),
  SEED_ORDERS: z.coerce
    .number()
    .int()
    .min(0)
    .default(2_000)
    .describe('Orders of the old shape that an empty database begins with.'),
  NEW_PATH_ERROR_RATE: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('Share of requests on the new paths that fail.'),
});

/** Thrown CHECKOUT_CONFIG_INVALID: every problem in one message. */
export function readConfig(
  environment: Readonly<Record<string, string | undefined>>,
): CheckoutOptions {
  const parsed = Config.safeParse(environment);
  if (!parsed.success)
    throw new AppError(
      'CHECKOUT_CONFIG_INVALID',
      `Options are wrong:\n${z.prettifyError(parsed.error)}`,
    );
  const config = parsed.data;
  return {
    port: config.PORT,
    host: config.HOST,
    tidegate: {
      url: config.TIDEGATE_URL,
      key: config.TIDEGATE_KEY,
      environment: config.TIDEGATE_ENVIRONMENT,
      application: 'checkout',
    },
    waitForFlagsMs: config.WAIT_FOR_FLAGS_MS,
    flags: { checkout: config.CHECKOUT_FLAG, payment: config.PAYMENT_FLAG },
    databaseFile: config.DATABASE_FILE,
    seedOrders: config.SEED_ORDERS,
    newPathErrorRate: config.NEW_PATH_ERROR_RATE,
  };
}
