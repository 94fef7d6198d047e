import { reject, type Rejection } from '@tidegate/kernel';
import type { Outcome } from '@tidegate/store';
import type { FastifyReply } from 'fastify';
import { etagOf } from './etag.ts';

/** The refusal in an outcome of `execute`, to be returned as it is; undefined if it was not refused. */
export const refusalOf = ({ answer }: Pick<Outcome<unknown>, 'answer'>): Rejection | undefined =>
  answer.outcome === 'refused' ? reject(answer.code, answer.message) : undefined;

/** What a write answers: `body` under the document's ETag, or the refusal, which becomes a problem. */
export function answer<B>(reply: FastifyReply, outcome: Outcome<unknown>, body: B): B | Rejection {
  const refused = refusalOf(outcome);
  if (refused) return refused;
  reply.header('etag', etagOf(outcome));
  return body;
}
