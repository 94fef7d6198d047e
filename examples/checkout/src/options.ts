import type { TidegateOptions } from '@tidegate/sdk';
import type { Feature } from './feature/feature.ts';

export interface CheckoutOptions {
  /** 0: any free port. */
  readonly port: number;
  readonly host: string;
  readonly tidegate: TidegateOptions;
  /** How long the start waits for flags before it goes on without. */
  readonly waitForFlagsMs: number;
  /** Which flag opens the new path of which feature. */
  readonly flags: Readonly<Record<Feature, string>>;
  /** SQLite; made if it does not exist. */
  readonly databaseFile: string;
  /** How many orders of the old shape an empty database begins with. */
  readonly seedOrders: number;
  /** Share of requests on the new paths that fail, 0 … 1. */
  readonly newPathErrorRate: number;
}
