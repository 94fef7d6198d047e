import { createServer, type ServerResponse } from 'node:http';

/** node:http alone: it writes what it is told to everybody who listens, one after the other, and does nothing else. */
const listeners = new Set<ServerResponse>();
const server = createServer((request, response) => {
  if (request.method === 'GET') {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('event: snapshot\ndata: {}\n\n');
    listeners.add(response);
    response.once('close', () => listeners.delete(response));
    return;
  }
  let text = '';
  request.on('data', (chunk) => (text += String(chunk)));
  request.on('end', () => {
    for (const listener of listeners) listener.write(text);
    response.end('{}');
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address)
    process.stdout.write(`listening on http://127.0.0.1:${address.port}\n`);
});
