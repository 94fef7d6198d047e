import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { webhookChannel } from './channel.webhook.ts';

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const cleanUp: (() => void)[] = [];
afterEach(() => {
  for (const each of cleanUp.splice(0)) each();
});

async function receiver(answer: (response: ServerResponse) => void) {
  const received: { headers: IncomingHttpHeaders; body: string }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      answer(response);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, received };
}

const answerWith =
  (status: number, headers: Record<string, string> = {}) =>
  (response: ServerResponse) => {
    response.writeHead(status, headers).end();
  };
const parcel = {
  id: 'n-1.1',
  alert: {
    thread: 'r-42',
    title: 't',
    text: 'x',
    severity: 'info' as const,
    labels: { event: 'RolloutStarted' },
    fingerprint: 'f',
  },
  createdAt: 0,
  attempt: 1,
};
const send = (url: string) =>
  webhookChannel({ url, secret, clock: { now: () => Date.now() } }).send(
    parcel,
    new AbortController().signal,
  );

describe('a webhook', () => {
  it('carries an alert, signed so that a receiver can check it with the public library', async () => {
    const { url, received } = await receiver(answerWith(204));
    expect(await send(url)).toEqual({ delivered: true });
    const [request] = received;
    const checked = new Webhook(secret).verify(
      request!.body,
      request!.headers as Record<string, string>,
    );
    expect(checked).toMatchObject({
      type: 'tidegate.RolloutStarted',
      data: { title: 't', thread: 'r-42' },
    });
  });
});
