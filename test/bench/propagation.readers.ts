import { connect, type Socket } from 'node:net';

/*
 * Many readers of event streams in a process of their own, as light as can be: each only looks for the version of one
 * flag. Arguments: how many, a key, and addresses of streams, which they share out among them.
 */

/** All of them have this version. Times in ms since 1970. */
export interface Told {
  readonly version: number;
  readonly firstAt: number;
  readonly lastAt: number;
}
export type FromReaders = Told | 'connected' | { readonly lost: number };

const [, , count = '0', key = '', ...streams] = process.argv;
const COUNT = Number(count);
const OPENING = 100;
const VERSION = /"key":"changing","epoch":\d+,"version":(\d+)/g;

const tell = (message: FromReaders): void => void process.send?.(message);
const now = (): number => performance.timeOrigin + performance.now();
const counted = new Map<number, { left: number; firstAt: number }>();
let lost = 0;

function heard(version: number): void {
  const state = counted.get(version) ?? { left: COUNT, firstAt: now() };
  counted.set(version, state);
  state.left -= 1;
  if (state.left > 0) return;
  counted.delete(version);
  tell({ version, firstAt: state.firstAt, lastAt: now() });
}

function open(n: number): Promise<void> {
  const { hostname, port, pathname } = new URL(streams[n % streams.length] ?? '');
  const socket: Socket = connect({ host: hostname, port: Number(port) });
  socket.write(
    `GET ${pathname} HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${key}\r\naccept: text/event-stream\r\n\r\n`,
  );
  return new Promise((resolve) => {
    let rest = '';
    let isOpen = false;
    let last = 0;
    socket.on('data', (chunk) => {
      const text = rest + chunk.toString('latin1');
      rest = text.slice(-100);
      if (!isOpen && text.includes('event: ')) {
        isOpen = true;
        resolve();
      }
      for (const [, found] of text.matchAll(VERSION)) {
        const version = Number(found);
        if (version <= last) continue;
        last = version;
        heard(version);
      }
    });
    socket.on('error', () => resolve());
    socket.on('close', () => {
      lost += 1;
      tell({ lost });
      resolve();
    });
  });
}

for (let n = 0; n < COUNT; n += OPENING)
  await Promise.all(Array.from({ length: Math.min(OPENING, COUNT - n) }, (_, m) => open(n + m)));
counted.clear();
tell('connected');
