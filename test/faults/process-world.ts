import { join } from 'node:path';
import { makeFlags } from '../e2e/house.ts';
import { temporaryFolder } from '../e2e/process.ts';
import { openReceiver, type Receiver } from '../e2e/receiver.ts';
import { type Application, openApplication } from './application.ts';
import { type Broker, brokerAt } from './broker.kafka.ts';
import { openOrders, type Orders } from './orders.sqlite.ts';
import { openProcessHouse, type ProcessHouse } from './process-house.ts';
import { sdkKey } from './world.ts';

/** Services as separate processes, which die and come back, and what lives on meanwhile. */
export interface ProcessWorld extends AsyncDisposable {
  readonly folder: string;
  readonly receiver: Receiver;
  /** Who is on call: gets the services' own pages. */
  readonly pager: Receiver;
  readonly broker: Broker;
  readonly application: Application;
  readonly orders: Orders;
  house(): ProcessHouse;
}

/** @param flags that exist in production, closed to everyone */
export async function openProcessWorld(...flags: string[]): Promise<ProcessWorld> {
  await using opened = new AsyncDisposableStack();
  const parent = temporaryFolder();
  const receiver = opened.use(await openReceiver());
  const pager = opened.use(await openReceiver());
  const orders = openOrders(join(parent, 'orders.db'));
  opened.defer(() => {
    orders.close();
  });
  const keys = join(parent, 'keys');
  const key = await sdkKey(keys);
  const house = opened.use(
    await openProcessHouse({
      ...receiver.environment,
      ...pager.pager,
      PAGER_AFTER_MS: '3000',
      API_KEYS_FILE: keys,
      RATE_LIMIT_PER_MINUTE: '0',
      NOTIFIER_CHECK_MS: '100',
      MIGRATION_CHECK_MS: '200',
      MIGRATIONS_DIR: 'examples/checkout/migrations',
      MIGRATION_TARGETS: `checkout=sqlite:${orders.file}`,
      AUDIT_SEAL_EVERY_MS: '10000',
      SHUTDOWN_GRACE_MS: '30000', // a busy machine is no unclean stop
    }),
  );
  await makeFlags(house, ...flags);
  const application = opened.use(await openApplication(house, key));
  const all = opened.move();
  return {
    folder: house.folder,
    receiver,
    pager,
    broker: brokerAt(house.servers.kafka.url),
    application,
    orders,
    house: () => house,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
