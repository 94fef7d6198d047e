import { AppError } from '@tidegate/kernel';
import type { OutgoingMessage, Publish } from '@tidegate/contracts';

export interface MemoryPublish {
  readonly publish: Publish;
  /** Everything that was taken, in order. */
  readonly published: readonly OutgoingMessage[];
  /** Topics that refuse what is published, with a retryable error; `'*'` for all. */
  readonly down: Set<string>;
}

/** A bus that takes everything and remembers it. */
export function memoryPublish(): MemoryPublish {
  const published: OutgoingMessage[] = [];
  const down = new Set<string>();
  return {
    published,
    down,
    publish: async (messages) => {
      const refused = messages.find(({ topic }) => down.has(topic) || down.has('*'));
      if (refused)
        throw new AppError('BUS_UNREACHABLE', `The topic ${refused.topic} is down.`, {
          retryable: true,
        });
      published.push(...messages);
    },
  };
}
