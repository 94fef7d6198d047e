import { join } from 'node:path';
import { type Bus, openEmbeddedBus, openKafkaBus } from '@tidegate/bus';
import type { Clock, Ids } from '@tidegate/kernel';
import { openMongoStore, openSqliteStore, type Store } from '@tidegate/store';
import type { PlatformConfig } from '../config/platform-config.ts';

/** What a service works on. `close` closes only what was opened here, the bus before the store. */
export interface Drivers {
  readonly bus: Bus;
  readonly store: Store;
  readonly close: () => Promise<void>;
}

interface Ambient {
  readonly clock: Clock;
  readonly ids: Ids;
  /** The service's name. */
  readonly source: string;
  /** Unique to this process: brokers know it by its service and this. */
  readonly instance: string;
}

/** Thrown STORE_IN_USE, BUS_IN_USE, STORE_UNREACHABLE, BUS_UNREACHABLE and what else the drivers throw when they cannot be opened. */
export async function openDrivers(
  config: PlatformConfig,
  given: { readonly bus?: Bus | undefined; readonly store?: Store | undefined },
  ambient: Ambient,
): Promise<Drivers> {
  const opened: (Bus | Store)[] = [];
  const close = async (): Promise<void> => {
    for (const driver of opened.splice(0).reverse()) await driver.close();
  };
  try {
    const store = given.store ?? (await openStore(config, ambient.clock));
    if (!given.store) opened.push(store);
    const bus = given.bus ?? (await openBus(config, ambient));
    if (!given.bus) opened.push(bus);
    return { bus, store, close };
  } catch (error) {
    await close();
    throw error;
  }
}

const openStore = ({ STORE_URL, DATA_DIR }: PlatformConfig, clock: Clock): Promise<Store> =>
  STORE_URL?.driver === 'mongodb'
    ? openMongoStore({ url: STORE_URL.url, clock })
    : openSqliteStore({ file: STORE_URL?.file ?? join(DATA_DIR, 'store.db'), clock });

function openBus(
  { BUS_URL, DATA_DIR }: PlatformConfig,
  { instance, ...ambient }: Ambient,
): Promise<Bus> {
  if (BUS_URL?.driver !== 'kafka')
    return openEmbeddedBus({ file: BUS_URL?.file ?? join(DATA_DIR, 'bus.db'), ...ambient });
  const { driver: _, ...address } = BUS_URL;
  return openKafkaBus({
    ...address,
    ...ambient,
    random: { next: Math.random },
    clientId: `${ambient.source}-${instance}`,
  });
}
