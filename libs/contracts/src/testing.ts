import type { Message, MessageDefinition, MessageOf, Metadata } from './message.ts';

/** A message of the definition's example, with what a spec wants different. */
export function exampleOf<D extends MessageDefinition>(
  definition: D,
  data: Record<string, unknown> = {},
  metadata: Partial<Metadata> = {},
): MessageOf<D> {
  const full = definition.schema.parse({ ...(definition.example as object), ...data });
  const message: Message = {
    type: definition.type,
    key: definition.key(full),
    data: full,
    metadata: {
      id: 'm-1',
      source: 'spec',
      at: 1_790_000_000_000,
      actor: 'alex',
      correlationId: 'm-1',
      ...metadata,
    },
  };
  return message as MessageOf<D>;
}
