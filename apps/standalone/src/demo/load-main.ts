/** HTTP load in a process of its own, so that it does not slow down what it measures. */
import autocannon from 'autocannon';

export interface LoadOptions {
  readonly url: string;
  readonly path: '/checkout' | '/payments';
  readonly requestsPerSecond: number;
  readonly orders: number;
}

const USERS = 1_000_000;
const pick = (count: number): number => 1 + Math.floor(Math.random() * count);
const userId = (): string => `user-${pick(USERS)}`;

const bodies = {
  '/checkout': () => ({
    userId: userId(),
    items: [{ sku: `sku-${pick(500)}`, price: 100 + pick(9_000), quantity: pick(4) }],
  }),
  '/payments': (orders: number) => ({ userId: userId(), orderId: pick(orders) }),
} as const;

process.once('message', ({ url, path, requestsPerSecond, orders }: LoadOptions) => {
  const load = autocannon(
    {
      url,
      connections: 8,
      duration: 600,
      overallRate: requestsPerSecond,
      requests: [
        {
          method: 'POST',
          path,
          headers: { 'content-type': 'application/json' },
          setupRequest: (request) => ({ ...request, body: JSON.stringify(bodies[path](orders)) }),
        },
      ],
    },
    () => undefined,
  );
  const stop = (): void => {
    load.stop();
    process.exit(0);
  };
  process.once('SIGTERM', stop).once('disconnect', stop);
});
