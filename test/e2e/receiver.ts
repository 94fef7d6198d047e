import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Delivery {
  /** Header `webhook-id`: the same for every attempt. */
  readonly id: string;
  readonly title: string;
  readonly text: string;
  readonly severity: string;
  readonly thread: string;
  /** Of pages: `firing` or `resolved`. */
  readonly status?: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Takes signed webhooks, as a team's own system would. */
export interface Receiver extends AsyncDisposable {
  /** What the notifier must be told to send here. */
  readonly environment: Readonly<Record<string, string>>;
  /** What every service must be told to page here. */
  readonly pager: Readonly<Record<string, string>>;
  /** Every request whose signature was right, oldest first, repeats included. */
  readonly deliveries: readonly Delivery[];
  readonly unsigned: number;
}

/** @param isDeaf while true, it answers 503 and takes nothing */
export async function openReceiver(isDeaf = (): boolean => false): Promise<Receiver> {
  const secret = randomBytes(32);
  const deliveries: Delivery[] = [];
  let unsigned = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      if (isDeaf()) return response.writeHead(503).end();
      const isSigned = isSignedWith(secret, request.headers, body);
      if (isSigned) {
        const { data } = JSON.parse(body) as { data: Omit<Delivery, 'id'> };
        deliveries.push({ ...data, id: String(request.headers['webhook-id']) });
      } else unsigned += 1;
      return response.writeHead(isSigned ? 204 : 401).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const key = `whsec_${secret.toString('base64')}`;
  return {
    environment: { NOTIFIER_WEBHOOK_URL: url, NOTIFIER_WEBHOOK_SECRET: key },
    pager: { PAGER_WEBHOOK_URL: url, PAGER_WEBHOOK_SECRET: key },
    deliveries,
    get unsigned() {
      return unsigned;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Standard Webhooks 1.0: base64 of the HMAC-SHA256 over `id.timestamp.body`, after the version `v1,`. */
function isSignedWith(secret: Buffer, headers: IncomingHttpHeaders, body: string): boolean {
  const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
  const signature = createHmac('sha256', secret).update(signed).digest('base64');
  return String(headers['webhook-signature']).split(' ').includes(`v1,${signature}`);
}
