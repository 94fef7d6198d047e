import { setTimeout as wait } from 'node:timers/promises';

const WORKERS = 4;
const PAUSE_MS = 8;
const ORDERS = 1_000;

const bodies: Readonly<Record<string, (n: number) => unknown>> = {
  '/checkout': (n) => ({
    userId: `user-${n}`,
    items: [{ sku: `sku-${n % 50}`, price: 100 + (n % 900), quantity: 1 + (n % 3) }],
  }),
  '/payments': (n) => ({ userId: `user-${n}`, orderId: 1 + (n % ORDERS) }),
};

/** Users of the example service, on both of its features, until it is disposed of. */
export function startLoad(url: string): AsyncDisposable {
  const over = new AbortController();
  let made = 0;
  const user = async (path: string): Promise<void> => {
    while (!over.signal.aborted) {
      const response = await fetch(`${url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(bodies[path]?.((made += 1))),
      });
      await response.arrayBuffer();
      await wait(PAUSE_MS);
    }
  };
  const users = Object.keys(bodies).flatMap((path) =>
    Array.from({ length: WORKERS }, () => user(path)),
  );
  return {
    [Symbol.asyncDispose]: async () => {
      over.abort();
      await Promise.all(users);
    },
  };
}
