import type { MessageDefinition, Metadata, OutgoingMessage } from '@tidegate/contracts';
import type { z } from 'zod';
import type { Caller } from '../auth/access.ts';
import type { ServiceContext } from '../service.ts';
import { idempotencyKey } from './idempotency-key.ts';

type Ambient = Pick<ServiceContext, 'name' | 'clock' | 'ids' | 'traceparent'>;

interface Made<T extends string, D> extends OutgoingMessage {
  readonly type: T;
  readonly data: D;
}

/**
 * A command as a request asks for it. With `Idempotency-Key`, repeating the request repeats the command's identity:
 * the source holds the key's name, so equal keys of different callers are different commands.
 * Thrown IDEMPOTENCY_KEY_MALFORMED.
 */
export function commandFrom<T extends string, S extends z.ZodType>(
  context: Ambient,
  definition: MessageDefinition<T, S>,
  data: z.output<S>,
  caller: Caller,
  request: {
    readonly headers: Readonly<Record<string, string | string[] | undefined>>;
    /** Instead of the key, see libs/platform/src/idempotency. */
    readonly commandId?: string | undefined;
  },
): Made<T, z.output<S>> {
  const key = idempotencyKey(request.headers['idempotency-key']);
  const id = request.commandId ?? key ?? context.ids.next();
  return message(context, definition, data, {
    id,
    source: `http:${caller.name}`,
    actor: caller.name,
    correlationId: id,
  });
}

/** A message that a service publishes by itself, outside `execute`. `cause`: the message it follows from. */
export function newMessage<T extends string, S extends z.ZodType>(
  context: Ambient,
  definition: MessageDefinition<T, S>,
  data: z.output<S>,
  cause?: { readonly metadata: Metadata },
): Made<T, z.output<S>> {
  const id = context.ids.next();
  return message(context, definition, data, {
    id,
    source: context.name,
    actor: context.name,
    correlationId: cause?.metadata.correlationId ?? id,
    ...(cause === undefined ? {} : { causationId: cause.metadata.id }),
  });
}

function message<T extends string, S extends z.ZodType>(
  context: Ambient,
  definition: MessageDefinition<T, S>,
  data: z.output<S>,
  metadata: Omit<Metadata, 'at' | 'traceparent'>,
): Made<T, z.output<S>> {
  const traceparent = context.traceparent();
  return {
    type: definition.type,
    topic: definition.topic,
    key: definition.key(data),
    data,
    metadata: {
      ...metadata,
      at: context.clock.now(),
      ...(traceparent === undefined ? {} : { traceparent }),
    },
  };
}
