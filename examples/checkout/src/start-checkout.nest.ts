import { resolve } from 'node:path';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { messageOf } from '@tidegate/kernel';
import type { Tidegate } from '@tidegate/sdk';
import { TIDEGATE } from '@tidegate/sdk/nest';
import { CheckoutModule } from './checkout.module.ts';
import type { CheckoutOptions } from './options.ts';
import { openDatabase } from './order/database.sqlite.ts';
import { ProblemFilter } from './problem.filter.ts';

export interface RunningCheckout {
  readonly url: string;
  /** Path of its SQLite file. */
  readonly database: string;
  /** The flags as this process holds them: `flags.onChange(key, ({ after, at }) => …)`. */
  readonly flags: Tidegate;
  stop(): Promise<void>;
}

/** Starts the service. It waits for flags a little while and then begins without them, on its old paths. */
export async function startCheckout(options: CheckoutOptions): Promise<RunningCheckout> {
  const database = openDatabase(options.databaseFile);
  const app = await NestFactory.create<NestFastifyApplication>(
    CheckoutModule.with(options, database),
    new FastifyAdapter(),
    { logger: ['error', 'warn'] },
  );
  const log = new Logger('checkout');
  const stop = async () => {
    await app.close();
    if (database.isOpen) database.close();
  };
  try {
    app.useGlobalFilters(new ProblemFilter());
    const flags = app.get<Tidegate>(TIDEGATE);
    await flags.ready(options.waitForFlagsMs).catch((error: unknown) => {
      log.warn(`Starting without flags. ${messageOf(error)}`);
    });
    await app.listen(options.port, options.host);
    return { url: await app.getUrl(), database: resolve(options.databaseFile), flags, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
