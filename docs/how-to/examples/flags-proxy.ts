import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';

const flagService = process.env['TIDEGATE_FLAG_SERVICE_URL'] ?? 'http://127.0.0.1:7401';
const key = process.env['TIDEGATE_KEY'] ?? '';

/** Evaluations and nothing else: with the same key one could read every rule, and the names on every list. */
const EVALUATE = /^\/flags(\/ofrep\/v1\/evaluate\/flags(?:\/[A-Za-z0-9._-]+)?)$/;

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, path] = EVALUATE.exec(request.url ?? '') ?? [];
  if (request.method !== 'POST' || path === undefined) {
    response.writeHead(404).end();
    return;
  }
  const answered = await fetch(`${flagService}/environments/production${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'if-none-match': request.headers['if-none-match'] ?? '',
    },
    body: await text(request),
    signal: AbortSignal.timeout(1_000),
  });
  response.writeHead(answered.status, {
    'content-type': 'application/json',
    etag: answered.headers.get('etag') ?? '',
  });
  response.end(await answered.text());
}

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    console.error(error);
    response.writeHead(502).end();
  });
});
server.listen(Number(process.env['PORT'] ?? 8080), '127.0.0.1', () => {
  console.log('Browsers find their flags at /flags:', server.address());
});
