import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createTidegate, type Tidegate } from '@tidegate/sdk';
import { TidegateProvider } from '@tidegate/sdk/openfeature';
import { testFlags } from './flags.ts';

/** What flag-service tells a client first, and then nothing more; `silent`: not even that. */
export async function serveFlags(onClose: (close: () => Promise<void>) => void, silent = false) {
  const snapshot = JSON.stringify({ digest: 'test-flags', flags: testFlags(), segments: [] });
  const server = createServer((request, response) => {
    if (!request.url?.includes('/stream')) {
      response.writeHead(204).end();
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    if (!silent) response.write(`event: snapshot\ndata: ${snapshot}\n\n`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onClose(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export function clientOf(
  url: string,
  onClose: (close: () => Promise<void>) => void,
  staleAfterMs = 30_000,
): Tidegate {
  const client = createTidegate({
    url,
    environment: 'production',
    key: 'a-key',
    staleAfterMs,
    onError: () => undefined,
  });
  onClose(() => client.close());
  return client;
}

export const providerOf = (client: Tidegate) => new TidegateProvider(client);
