import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

export interface Received {
  readonly title: string;
  readonly severity: string;
  readonly text: string;
  readonly thread: string;
}

/** Takes webhooks as a team's own system would: with a key of its own, and nothing that is not signed. */
export interface Receiver {
  readonly url: string;
  readonly secret: string;
  /** Distinct deliveries whose signature was right, oldest first. */
  readonly received: readonly Received[];
  readonly rejected: number;
  stop(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  const webhook = new Webhook(secret);
  const seen = new Set<string>();
  const received: Received[] = [];
  let rejected = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      try {
        const headers = request.headers as Record<string, string>;
        const { data } = webhook.verify(Buffer.concat(chunks).toString(), headers) as {
          data: Received;
        };
        const id = headers['webhook-id'] ?? '';
        if (!seen.has(id)) received.push(data);
        seen.add(id);
        response.writeHead(204).end();
      } catch {
        // Whatever is wrong with it: it is not from our notifier, and is told so.
        rejected += 1;
        response.writeHead(401).end();
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    secret,
    received,
    get rejected() {
      return rejected;
    },
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
