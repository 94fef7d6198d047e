import type { Server, ServerResponse } from 'node:http';
import { Server as TcpServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';

const LOOK_MS = 10;
const STREAMS_MS = 300;

/**
 * The door of a service. Closing it loses nothing that is on its way: while a connection may still send, what it
 * sends is answered, with `Connection: close`, so that clients leave by themselves.
 */
export class Intake {
  readonly #server: Server;
  readonly #open = new Set<ServerResponse>();
  #closing = false;

  constructor(fastify: FastifyInstance) {
    this.#server = fastify.server;
    fastify.addHook('onRequest', (_request, reply, done) => {
      this.#open.add(reply.raw);
      reply.raw.once('close', () => this.#open.delete(reply.raw));
      done();
    });
    fastify.addHook('onSend', (_request, reply, payload, done) => {
      if (this.#closing) reply.header('connection', 'close');
      done(null, payload);
    });
  }

  get isClosing(): boolean {
    return this.#closing;
  }

  /**
   * Takes no new connection, answers what is under way, closes the rest.
   * @param lingerMs how long connections that are idle now may still send a request
   * @param graceMs after this, what is left is cut off
   */
  async close(lingerMs: number, graceMs: number): Promise<void> {
    this.#closing = true;
    const begun = performance.now();
    const passed = (ms: number): boolean => performance.now() - begun >= ms;
    // Not `http.Server.close`: it also closes idle connections, and a request may be on its way in one.
    if (this.#server.listening) TcpServer.prototype.close.call(this.#server);
    while ((await this.#connections()) > 0 && !passed(graceMs)) {
      if (passed(STREAMS_MS)) this.#cutStreams();
      if (passed(lingerMs)) this.#server.closeIdleConnections();
      await wait(LOOK_MS);
    }
    this.#server.closeAllConnections();
  }

  /** Event streams end by themselves when the service says it stops; those that do not would hold the door open. */
  #cutStreams(): void {
    for (const response of this.#open) if (isEventStream(response)) response.destroy();
  }

  #connections(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
    });
  }
}

/** `writeHead` may have sent headers that Node does not remember: then what the client asked for tells. */
const isEventStream = (response: ServerResponse): boolean =>
  response.headersSent &&
  [response.getHeader('content-type'), response.req.headers.accept].some((type) =>
    String(type).startsWith('text/event-stream'),
  );
