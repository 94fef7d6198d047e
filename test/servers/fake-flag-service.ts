/** flag-service as the contract of its stream and snapshot describes it, for specs; it may misbehave. */
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  flag,
  type FlagRecord,
  sdkHeartbeat,
  type SdkHeartbeat,
  type ViewRecord,
} from '@tidegate/contracts';
import { FlagView } from '@tidegate/evaluation';

const rollout = { id: 'r-42', generation: 1 };
export const state = (
  version: number,
  percentage: number,
  rest: { key?: string; held?: boolean; epoch?: number } = {},
): FlagRecord => ({
  key: rest.key ?? 'checkout-v2',
  epoch: rest.epoch ?? 1,
  version,
  flag: flag.parse({
    definition: {
      type: 'boolean',
      variants: { on: true, off: false },
      defaultVariant: 'off',
      offVariant: 'off',
      exposure: { variant: 'on', percentage },
    },
    salt: 'salt',
    ...(rest.held ? { hold: { rollout, since: 0, step: 'canary' } } : {}),
  }),
});
/** Exposed to everyone. */
export const OPEN = 100_000;

/** One stream as the server sees it. */
export class Stream {
  readonly digest: string | null;
  readonly authorization: string | undefined;
  readonly path: string;
  readonly #response: ServerResponse;
  isClosed = false;

  constructor(request: IncomingMessage, response: ServerResponse) {
    const url = new URL(request.url ?? '', 'http://server');
    this.path = url.pathname;
    this.digest = url.searchParams.get('digest');
    this.authorization = request.headers.authorization;
    this.#response = response;
    response.on('close', () => {
      this.isClosed = true;
    });
  }

  head(status = 200, type = 'text/event-stream', headers: OutgoingHttpHeaders = {}): void {
    this.#response.writeHead(status, { 'content-type': type, ...headers });
    this.#response.flushHeaders();
  }
  /** Instead of a stream. */
  refuse(status: number, headers?: OutgoingHttpHeaders): void {
    this.head(status, 'application/problem+json', headers);
    this.end();
  }
  send(event: string, data: unknown): void {
    this.raw(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }
  raw(text: string | Uint8Array): void {
    this.#response.write(text);
  }
  end(): void {
    this.#response.end();
  }
  destroy(): void {
    this.#response.destroy();
  }
}

export class FakeFlagService {
  readonly view = new FlagView();
  readonly streams: Stream[] = [];
  readonly heartbeats: SdkHeartbeat[] = [];
  /** Requests for the snapshot: the digest that the client has, and what it was answered. */
  readonly polls: { readonly etag: string | undefined; readonly status: number }[] = [];
  /** 0: a heartbeat is taken, and the connection cut instead of an answer. */
  heartbeatStatus = 204;
  /** Other than 200: of every answer to a request for the snapshot. */
  snapshotStatus = 200;
  url = '';
  onStream = (stream: Stream): void => {
    stream.head();
    const snapshot = this.view.snapshot();
    if (stream.digest === snapshot.digest) stream.send('unchanged', { digest: snapshot.digest });
    else stream.send('snapshot', snapshot);
  };

  readonly server = createServer((request, response) => {
    if (request.method === 'POST') this.#takeHeartbeat(request, response);
    else if (request.url?.endsWith('/snapshot')) this.#giveSnapshot(request, response);
    else {
      const stream = new Stream(request, response);
      this.streams.push(stream);
      this.onStream(stream);
    }
  });

  static async start(port = 0): Promise<FakeFlagService> {
    const service = new FakeFlagService();
    await new Promise<void>((resolve) => service.server.listen(port, '127.0.0.1', resolve));
    service.url = `http://127.0.0.1:${(service.server.address() as AddressInfo).port}`;
    return service;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }
  get last(): Stream {
    return this.streams.at(-1) as Stream;
  }
  change(next: ViewRecord): void {
    this.view.apply(next);
    this.last.send('segment' in next ? 'segment' : 'flag', next);
  }
  async stop(): Promise<void> {
    const stopped = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await stopped;
  }

  #giveSnapshot({ headers }: IncomingMessage, response: ServerResponse): void {
    const snapshot = this.view.snapshot();
    const etag = headers['if-none-match'];
    const isKnown = etag === `"${snapshot.digest}"`;
    const status = this.snapshotStatus === 200 && isKnown ? 304 : this.snapshotStatus;
    this.polls.push({ etag, status });
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(status === 200 ? JSON.stringify(snapshot) : undefined);
  }

  #takeHeartbeat(request: IncomingMessage, response: ServerResponse): void {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      this.heartbeats.push(sdkHeartbeat.parse(JSON.parse(body)));
      if (this.heartbeatStatus === 0) response.destroy();
      else response.writeHead(this.heartbeatStatus).end();
    });
  }
}
