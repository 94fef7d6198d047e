import type { z } from 'zod';
import { flagKey, name } from './fields.ts';
import { defineMessage } from './message.ts';

export const flagRef = { environment: name, key: flagKey };
const messageKey = (data: { environment: string; key: string }) =>
  `${data.environment}/${data.key}`;
export const flagRefExample = { environment: 'production', key: 'checkout-v2' };
export const definitionExample = {
  type: 'boolean' as const,
  variants: { on: true, off: false },
  defaultVariant: 'off',
  offVariant: 'off',
  exposure: { variant: 'on', percentage: 10_000 },
};
export const rolloutExample = { id: 'r-42', generation: 1 };
export const flagMessage = <const T extends string, S extends z.ZodObject<typeof flagRef>>(
  type: T,
  wire: string,
  rest: {
    topic: 'kills' | 'flag.commands' | 'flag.events';
    schema: S;
    example: Omit<z.input<S>, 'environment' | 'key'>;
    maxAgeMs?: number;
  },
) =>
  defineMessage<T, S>({
    type,
    wire: `tidegate.flag.${wire}.v1`,
    kind: rest.topic === 'flag.events' ? 'event' : 'command',
    topic: rest.topic,
    schema: rest.schema,
    key: messageKey,
    example: { ...flagRefExample, ...rest.example } as z.input<S>,
    ...(rest.maxAgeMs === undefined ? {} : { maxAgeMs: rest.maxAgeMs }),
  });
