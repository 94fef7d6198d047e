import { flag, flagTypes, type FlagRecord } from '@tidegate/contracts';
import { TidegateClient } from './client.loop.ts';
import type { FlagSink } from './flag-source.port.ts';
import type { Tidegate } from './tidegate.port.ts';

type Value = boolean | string | number | object;

/** Flags that a spec sets, the same for everyone. */
export interface MemoryTidegate extends Tidegate {
  set(key: string, value: Value): void;
  remove(key: string): void;
}

/** A Tidegate without a server, for specs: `memoryTidegate({ 'checkout-v2': true })`. A failing listener throws at once. */
export function memoryTidegate(values: Readonly<Record<string, Value>> = {}): MemoryTidegate {
  const opened: { sink?: FlagSink } = {};
  const client = new TidegateClient(2 ** 31 - 1, thrown, (sink) => {
    opened.sink = sink;
    return { close: () => Promise.resolve() };
  });
  let version = 0;
  const put = (key: string, value: Value | null) => {
    version += 1;
    opened.sink?.apply([{ key, epoch: 1, version, flag: value === null ? null : always(value) }]);
  };
  for (const [key, value] of Object.entries(values)) put(key, value);
  opened.sink?.sync([]);
  return Object.assign(client, {
    set: put,
    remove: (key: string) => {
      put(key, null);
    },
  });
}

const thrown = (error: Error): never => {
  throw error;
};

const always = (value: Value): FlagRecord['flag'] =>
  flag.parse({
    definition: {
      type: flagTypes.find((type) => type === typeof value),
      variants: { set: value },
      defaultVariant: 'set',
      offVariant: 'set',
      exposure: { variant: 'set', percentage: 0 },
    },
    salt: 'spec',
  });
