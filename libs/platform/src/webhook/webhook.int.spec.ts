import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { signedWebhook } from './webhook.http.ts';

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
const send = (url: string, { signal } = new AbortController()) =>
  signedWebhook({
    url,
    secret,
    clock: { now: () => Date.now() },
    userAgent: 'spec',
    timeoutMs: 200,
  })({ id: 'n-1.1', body: '{"type":"tidegate.Told"}', attempt: 2 }, signal);

describe('a webhook', () => {
  it('carries a signature that a receiver can check with the public library', async () => {
    const { url, received } = await receiver(answerWith(204));
    expect(await send(url)).toEqual({ delivered: true });
    const [request] = received;
    const checked = new Webhook(secret).verify(
      request!.body,
      request!.headers as Record<string, string>,
    );
    expect(checked).toEqual({ type: 'tidegate.Told' });
    expect(request!.headers).toMatchObject({ 'webhook-id': 'n-1.1', 'webhook-attempt': '2' });
    expect(() =>
      new Webhook(secret).verify(`${request!.body} `, request!.headers as Record<string, string>),
    ).toThrow('No matching signature');
  });

  it.each([
    [500, true],
    [503, true],
    [429, true],
    [408, true],
    [400, false],
    [404, false],
    [410, false],
    [302, false],
  ])('takes %i as a failure; worth another attempt: %s', async (status, retryable) => {
    const { url } = await receiver(answerWith(status, { location: 'http://127.0.0.1:1/' }));
    expect(await send(url)).toMatchObject({ delivered: false, retryable });
  });

  it('reads how long the receiver asks to wait', async () => {
    const { url } = await receiver(answerWith(429, { 'retry-after': '7' }));
    expect(await send(url)).toMatchObject({ retryAfterMs: 7_000 });
  });

  it('says that nobody listens, and keeps it for later', async () => {
    expect(await send('http://127.0.0.1:1/')).toMatchObject({
      delivered: false,
      retryable: true,
      message: expect.stringContaining('could not be reached'),
    });
  });

  it('says that a receiver hangs, and keeps it for later', async () => {
    const { url } = await receiver(() => undefined);
    expect(await send(url)).toEqual({
      delivered: false,
      retryable: true,
      message: 'The receiver did not answer within 0.2 s.',
    });
  });

  it('that is cut off says nothing: nobody knows what became of it', async () => {
    const { url } = await receiver(() => undefined);
    const stopping = new AbortController();
    const sent = send(url, stopping);
    stopping.abort();
    expect(await sent).toBeUndefined();
  });
});
