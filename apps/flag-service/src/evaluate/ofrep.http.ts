import { hash } from 'node:crypto';
import { isRejection, type Rejection } from '@tidegate/kernel';
import type { Asking, FastRoute } from '@tidegate/platform';
import type { FastifyRequest } from 'fastify';
import type { Adoption } from '../adoption/adoption.handler.ts';
import { NO_VARIANT } from '../adoption/counted.ts';
import { environmentUnknown } from '../environment/environments.handler.ts';
import type { EnvironmentFlags } from '../view/environment-flags.ts';
import type { FlagViews } from '../view/flag-views.handler.ts';
import { contextOf, evaluateAll, evaluateOfrep, failureText, matches, ofrepBody } from './ofrep.ts';

export interface OfrepParts {
  readonly views: Pick<FlagViews, 'find' | 'held'>;
  readonly adoption: Pick<Adoption, 'tally'>;
  readonly defaultEnvironment: string;
}

const PATH = '/ofrep/v1/evaluate/flags';

/** OpenFeature Remote Evaluation Protocol 0.3, for every language that has an OpenFeature SDK. */
export function ofrepRoutes({ defaultEnvironment, ...parts }: OfrepParts): readonly FastRoute[] {
  const scopes = [
    { base: '', environment: { always: defaultEnvironment } },
    { base: '/environments/{env}', environment: { parameter: 'env' } },
  ] as const;
  return scopes.flatMap(({ base, environment }) => {
    const scope = { role: 'sdk', countedAs: 'evaluation', environment, body: ofrepBody } as const;
    const within = answering(parts.views, environment);
    return [
      {
        ...scope,
        path: `${base}${PATH}/{key}`,
        summary: 'OFREP: evaluates one flag.',
        answer: within(keyOf, (asking, flags, name) => one(parts, asking, flags, name)),
        unreadable: (request, why) => failureText(why, keyOf(request)),
      },
      {
        ...scope,
        path: `${base}${PATH}`,
        summary: 'OFREP: evaluates every flag; 304 while neither flags nor context have changed.',
        answer: within(noKey, (asking, flags, name) => all(parts, asking, flags, name)),
        unreadable: (_, why) => failureText(why, undefined),
      },
    ] satisfies FastRoute[];
  });
}

type Param = Readonly<Record<string, string>>;
const keyOf = ({ params }: FastifyRequest): string => (params as Param)['key'] ?? '';
const noKey = (): undefined => undefined;

type Answer = (asking: Asking, flags: EnvironmentFlags, environment: string) => string;

/** Waits only for an environment that this process does not hold yet. */
const answering =
  (views: OfrepParts['views'], environment: FastRoute['environment']) =>
  (key: (request: FastifyRequest) => string | undefined, answer: Answer) =>
  (asking: Asking): string | Promise<string> => {
    const { request, reply } = asking;
    const name =
      'always' in environment ? environment.always : ((request.params as Param)['env'] ?? '');
    const held = views.held(name);
    if (held) return answer(asking, held, name);
    return views.find(name).then((found) => {
      if (found) return answer(asking, found, name);
      reply.code(404);
      const { message }: Rejection = environmentUnknown(name);
      const flag = key(request);
      return failureText(message, flag, flag === undefined ? 'GENERAL' : 'FLAG_NOT_FOUND');
    });
  };

function one(
  { adoption }: Pick<OfrepParts, 'adoption'>,
  { request, reply, caller }: Asking,
  flags: EnvironmentFlags,
  environment: string,
): string {
  const key = keyOf(request);
  const { status, text, variant, errorCode } = evaluateOfrep(flags.evaluator(), key, request.body);
  const tally = adoption.tally(environment);
  if (errorCode === 'FLAG_NOT_FOUND') tally.unknown(caller.name, key);
  else if (errorCode !== 'INVALID_CONTEXT') tally.served(caller.name, key, variant ?? NO_VARIANT);
  if (status !== 200) reply.code(status);
  return text;
}

/** Counted as one fetch: which of the flags such a client asks for, it does not tell. */
function all(
  { adoption }: Pick<OfrepParts, 'adoption'>,
  { request, reply }: Asking,
  flags: EnvironmentFlags,
  environment: string,
): string {
  const context = contextOf(request.body);
  if (isRejection(context)) {
    reply.code(400);
    return failureText(context.message, undefined);
  }
  adoption.tally(environment).fetched();
  const { digest } = flags;
  const etag = `W/"${digest}-${hash('sha256', JSON.stringify(context ?? {}), 'base64url')}"`;
  reply.header('etag', etag);
  if (matches(request.headers['if-none-match'], etag)) {
    reply.code(304).removeHeader('content-type');
    return '';
  }
  const metadata = JSON.stringify({ environment, digest });
  return `{"flags":${evaluateAll(flags.evaluator(), flags.keys(), context)},"metadata":${metadata}}`;
}
