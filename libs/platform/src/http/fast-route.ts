import type { Role } from '@tidegate/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Caller } from '../auth/access.ts';
import type { CountedApart } from '../limits/rate-limits.handler.ts';

/** One request of such a route, by somebody who may ask. */
export interface Asking {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly caller: Caller;
}

/**
 * A POST route past Nest, for what is asked so often that its pipeline costs too much, and that changes nothing.
 * Keys, roles, limits, log, metrics, traces and problems are those of every other route, and it is described in
 * /openapi.json.
 */
export interface FastRoute {
  /** As OpenAPI writes it: `/environments/{env}/flags`. */
  readonly path: string;
  readonly role: Role;
  /** The environment that a request is about: as a parameter of the path says, or always the same one. */
  readonly environment: { readonly parameter: string } | { readonly always: string };
  /** Counted apart from what else the key asks. */
  readonly countedAs?: CountedApart;
  readonly summary: string;
  /** For the description; it is not checked. */
  readonly body: z.ZodType;
  /** JSON as text. */
  answer(asking: Asking): string | Promise<string>;
  /** JSON as text instead of the problem for a body that is no JSON; the status is 400. */
  unreadable(request: FastifyRequest, why: string): string;
}
