import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Stands between a program and a server. */
export interface Proxy extends AsyncDisposable {
  /** The same URL, through the proxy. */
  readonly url: string;
  /** After so many more bytes of the program, the connection that brings them is cut, in the middle of what it says. */
  cutAfter(bytes: number): void;
  /** How often that was done. */
  readonly cuts: number;
}

export async function openProxy(url: string): Promise<Proxy> {
  const to = new URL(url);
  const open = new Set<Socket>();
  let left = Infinity;
  let cuts = 0;
  const server = createServer((program) => {
    const database = connect(Number(to.port), to.hostname);
    const cut = (): void => {
      program.destroy();
      database.destroy();
    };
    for (const socket of [program, database]) {
      open.add(socket);
      socket.once('close', () => {
        open.delete(socket);
        cut();
      });
      socket.on('error', cut);
    }
    program.on('data', (chunk: Buffer) => {
      left -= chunk.length;
      if (left > 0) return void database.write(chunk);
      database.end(chunk.subarray(0, chunk.length + left));
      left = Infinity;
      cuts += 1;
      program.destroy();
    });
    database.pipe(program);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const through = new URL(url);
  through.port = String((server.address() as AddressInfo).port);
  return {
    url: through.href,
    cutAfter: (bytes) => {
      left = bytes;
    },
    get cuts() {
      return cuts;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
