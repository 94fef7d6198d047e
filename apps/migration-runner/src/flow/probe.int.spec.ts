import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { httpProbe } from './probe.http.ts';

const servers: ReturnType<typeof createServer>[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function server(listener: RequestListener): Promise<{ url: string; host: string }> {
  const made = createServer(listener).listen(0, '127.0.0.1');
  servers.push(made);
  await new Promise((resolve) => made.once('listening', resolve));
  const host = `127.0.0.1:${(made.address() as AddressInfo).port}`;
  return { url: `http://${host}/go?key=hidden`, host };
}
const ask = httpProbe({ timeoutMs: 200, userAgent: 'migration-runner' });

describe('a probe', () => {
  it.each([200, 204])('lets a batch begin with %s', async (status) => {
    const { url } = await server((_request, response) => response.writeHead(status).end('yes'));
    expect(await ask(url)).toBeUndefined();
  });

  it.each([429, 503, 500, 404])(
    'holds it back with %s, and shows no more than the host',
    async (status) => {
      const { url, host } = await server((_request, response) => response.writeHead(status).end());
      expect(await ask(url)).toBe(`The probe at ${host} answered ${status}.`);
    },
  );

  it('does not follow a redirect', async () => {
    const { url, host } = await server((_request, response) =>
      response.writeHead(302, { location: '/ok' }).end(),
    );
    expect(await ask(url)).toBe(`The probe at ${host} answered 302.`);
  });

  it('holds it back when it does not answer in time', async () => {
    const { url, host } = await server(() => {});
    expect(await ask(url)).toBe(`The probe at ${host} did not answer within 0.2 s.`);
  });

  it('holds it back when nobody is there', async () => {
    expect(await ask('http://127.0.0.1:1/')).toMatch(
      /^The probe at 127\.0\.0\.1:1 could not be reached: /,
    );
  });
});
