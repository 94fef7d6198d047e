import { createTidegate, type FlagChange, type Tidegate } from '@tidegate/sdk';
import { createKafkaTidegate } from '@tidegate/sdk/kafka';
import type { ProcessHouse } from './process-house.ts';

const environment = 'production';
/** It is cut off again and again, and that is no news. */
const onError = (): void => undefined;

export interface Seen {
  readonly key: string;
  readonly version: number;
  /** Somebody is served the new variant. */
  readonly isOpen: boolean;
}

/** Instances of an application, each with its own source of flags. */
export interface Application extends AsyncDisposable {
  readonly clients: Readonly<Record<string, Tidegate>>;
  /** By client: every state of a flag that it has answered with, oldest first. */
  readonly seen: Readonly<Record<string, readonly Seen[]>>;
}

/** One at each replica of flag-service, and one at the broker. */
export async function openApplication(house: ProcessHouse, key: string): Promise<Application> {
  await using opened = new AsyncDisposableStack();
  const quick = { environment, onError, firstRetryMs: 100, longestRetryMs: 1_000 };
  const clients: Record<string, Tidegate> = {};
  const seen: Record<string, Seen[]> = {};
  const add = (name: string, client: Tidegate): void => {
    const mine: Seen[] = [];
    clients[name] = client;
    seen[name] = mine;
    opened.defer(() => client.close());
    client.onChange('*', (change) => {
      mine.push(seenOf(change));
    });
  };
  for (const { name, url } of house.replicasOf('flag-service'))
    add(name, createTidegate({ ...quick, url, key, application: 'faults', instance: name }));
  const url = `kafka://${house.servers.kafka.url}?replication=1`;
  add('kafka', await createKafkaTidegate({ url, environment, onError, application: 'faults' }));
  await Promise.all(Object.values(clients).map((client) => client.ready(60_000)));
  const all = opened.move();
  return { clients, seen, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

const seenOf = ({ key, after: { flag, version } }: FlagChange): Seen => ({
  key,
  version,
  isOpen: flag !== null && !flag.disabled && flag.definition.exposure.percentage > 0,
});

/** Where a client went back to an older state of a flag. */
export function stepsBack({ seen }: Pick<Application, 'seen'>): readonly string[] {
  return Object.entries(seen).flatMap(([client, states]) => {
    const newest = new Map<string, number>();
    return states.flatMap(({ key, version }) => {
      const before = newest.get(key) ?? 0;
      newest.set(key, version);
      return version <= before ? [`${client}: ${key} ${before} → ${version}`] : [];
    });
  });
}
