import { definitionOf, type Message, type Topic } from '@tidegate/contracts';
import { PATTERN_EXTRAS_METADATA, PATTERN_METADATA } from '@nestjs/microservices/constants.js';

/** What one group takes, and who handles it: as the Nest server of the bus reads it off the consumers. */
export interface Registration {
  readonly group: string;
  readonly topics: ReadonlySet<string>;
  readonly types: ReadonlySet<string>;
  handle(message: Message): Promise<void>;
}

type Handler = (message: Message) => unknown;
type Taken = { group: string; topic: Topic; type: string; method: string };

const takenBy = new Map<string, readonly Taken[]>();

/** The registrations of these consumers, one per group. */
export function registrationsOf(service: string, consumers: readonly object[]): Registration[] {
  const all = consumers.flatMap((consumer) =>
    patternsOf(service, consumer).map((taken) => ({ ...taken, consumer })),
  );
  return [...Map.groupBy(all, ({ group }) => group)].map(([group, taken]) => {
    const byType = Map.groupBy(taken, ({ type }) => type);
    return {
      group,
      topics: new Set(taken.map(({ topic }) => topic)),
      types: new Set(byType.keys()),
      async handle(message) {
        for (const { consumer, method } of byType.get(message.type) ?? [])
          await (consumer as Record<string, Handler>)[method]?.(message);
      },
    };
  });
}

function patternsOf(service: string, consumer: object): readonly Taken[] {
  const prototype = Object.getPrototypeOf(consumer) as Record<string, object>;
  const name = `${service} ${prototype.constructor.name}`;
  const known = takenBy.get(name);
  if (known) return known;
  const taken = Object.getOwnPropertyNames(prototype).flatMap((method) => {
    const handler = prototype[method] ?? {};
    const types = (Reflect.getMetadata(PATTERN_METADATA, handler) ?? []) as string[];
    const extras = (Reflect.getMetadata(PATTERN_EXTRAS_METADATA, handler) ?? {}) as {
      group?: string;
    };
    return types.map((type): Taken => {
      const definition = definitionOf(type);
      if (!definition) throw new TypeError(`There is no message type ${type}.`);
      const { topic } = definition;
      const own = topic === 'kills' ? `${service}.kills` : service;
      return { type, topic, method, group: extras.group ? `${service}.${extras.group}` : own };
    });
  });
  takenBy.set(name, taken);
  return taken;
}
