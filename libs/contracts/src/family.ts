import { z } from 'zod';
import type { MessageDefinition } from './message.ts';
import type { Topic } from './topics.ts';

/**
 * Definitions that are about the same kind of thing: they share its fields, topic and key.
 * `family({ … })('StepStarted', 'step-started', { step: z.string() }, { step: 'canary' })`.
 */
export const family =
  <F extends z.ZodRawShape>(shared: {
    /** Middle of the wire name: `tidegate.<noun>.<what>.v1`. */
    noun: string;
    kind: 'command' | 'event';
    topic: Topic;
    fields: F;
    example: z.input<z.ZodObject<F>>;
    /** The field that names the aggregate. */
    key: keyof F & string;
  }) =>
  <const T extends string, S extends z.ZodRawShape>(
    type: T,
    wire: string,
    fields: S,
    example: z.input<z.ZodObject<S>>,
  ): MessageDefinition<T, z.ZodObject<F & S>> => ({
    type,
    wire: `tidegate.${shared.noun}.${wire}.v1`,
    kind: shared.kind,
    topic: shared.topic,
    schema: z.object({ ...shared.fields, ...fields }),
    key: (data) => String((data as Record<string, unknown>)[shared.key]),
    example: { ...shared.example, ...example } as z.input<z.ZodObject<F & S>>,
  });
