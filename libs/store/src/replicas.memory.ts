import type { Store } from './store.port.ts';

/** Each call goes to the next of several stores over one database, as if a balancer stood before them. */
export function replicas(stores: readonly Store[]): Store {
  const all = <T>(pick: (store: Store) => T): readonly T[] => stores.map(pick);
  return {
    epoch: alternate(stores).epoch,
    documents: (collection) => alternate(all((store) => store.documents(collection))),
    projection: <R>(name: string) => alternate(all((store) => store.projection<R>(name))),
    leases: alternate(all(({ leases }) => leases)),
    check: async () => {
      await Promise.all(all((store) => store.check()));
    },
    close: async () => {
      await Promise.all(all((store) => store.close()));
    },
  };
}

function alternate<T extends object>(all: readonly T[]): T {
  const [first] = all;
  if (!first) throw new TypeError('There is nobody to call.');
  let count = 0;
  return new Proxy(first, {
    get(_first, name) {
      count += 1;
      const turn = all[count % all.length] ?? first;
      const value: unknown = Reflect.get(turn, name, turn);
      return typeof value === 'function' ? value.bind(turn) : value;
    },
  });
}
