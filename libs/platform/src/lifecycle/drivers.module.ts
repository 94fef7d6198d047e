import { join } from 'node:path';
import { type Bus, openEmbeddedBus } from '@tidegate/bus';
import type { Clock, Ids } from '@tidegate/kernel';
import { openSqliteStore, type Store } from '@tidegate/store';
import type { PlatformConfig } from '../config/platform-config.ts';

/** What a service works on. `close` closes only what was opened here, the bus before the store. */
export interface Drivers {
  readonly bus: Bus;
  readonly store: Store;
  readonly close: () => Promise<void>;
}

/** Thrown STORE_IN_USE, BUS_IN_USE and what else the drivers throw when they cannot be opened. */
export async function openDrivers(
  config: PlatformConfig,
  given: { readonly bus?: Bus | undefined; readonly store?: Store | undefined },
  ambient: { readonly clock: Clock; readonly ids: Ids; readonly source: string },
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
  openSqliteStore({ file: STORE_URL?.file ?? join(DATA_DIR, 'store.db'), clock });

const openBus = (
  { BUS_URL, DATA_DIR }: PlatformConfig,
  ambient: { readonly clock: Clock; readonly ids: Ids; readonly source: string },
): Promise<Bus> => openEmbeddedBus({ file: BUS_URL?.file ?? join(DATA_DIR, 'bus.db'), ...ambient });
