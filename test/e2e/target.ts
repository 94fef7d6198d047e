import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A metrics endpoint that says what the spec wants. */
export interface Target extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  say(text: string, status?: number): void;
}

/** @param port 0: any free one */
export async function openTarget(text = '', port = 0): Promise<Target> {
  let said = { text, status: 200 };
  const server = createServer((_request, response) => {
    response.writeHead(said.status, { 'content-type': 'text/plain; version=0.0.4' }).end(said.text);
  }).listen(port, '127.0.0.1');
  await once(server, 'listening'); // rejects when the port is taken
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${bound}/metrics`,
    port: bound,
    say: (next, status = 200) => {
      said = { text: next, status };
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const SPAN = 12;

/** A port after which `SPAN` more are free for now, for programs that count on from one. */
export async function freePortBase(): Promise<number> {
  for (;;) {
    const base = 20_000 + Math.floor(Math.random() * 12_000);
    if (await areFree(base)) return base;
  }
}

async function areFree(base: number): Promise<boolean> {
  await using taken = new AsyncDisposableStack();
  try {
    for (let port = base; port <= base + SPAN; port += 1) taken.use(await openTarget('', port));
    return true;
  } catch {
    return false; // one of them is taken, and which one does not matter
  }
}
