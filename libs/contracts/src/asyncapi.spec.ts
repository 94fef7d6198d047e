import specifications from '@asyncapi/specs';
import { expect, it } from '@jest/globals';
import { Ajv, type AnySchema } from 'ajv';
import { asyncApiDocument, catalogue, topics } from './index.ts';

interface Described {
  channels: Record<
    string,
    {
      address: string;
      messages: Record<string, { $ref: string }>;
      bindings: { kafka: { partitions: number } };
    }
  >;
  components: { messages: Record<string, { name: string }> };
}
const document = asyncApiDocument() as Described;

it('is an AsyncAPI document, says the schema of AsyncAPI itself', () => {
  const ajv = new Ajv({ meta: false, strict: false, validateFormats: false, allErrors: true });
  const validate = ajv.compile(specifications.schemas['3.0.0'] as AnySchema);
  expect({ valid: validate(document), errors: validate.errors }).toEqual({
    valid: true,
    errors: null,
  });
  // It would notice: a channel must be an object.
  expect(validate({ ...document, channels: { kills: 'a topic' } })).toBe(false);
});

it('describes every topic with its settings, and every message once, on its topic', () => {
  expect(Object.keys(document.channels).sort()).toEqual(Object.keys(topics).sort());
  for (const { type, wire, topic } of catalogue) {
    expect(document.components.messages[type]?.name).toBe(wire);
    expect(document.channels[topic]?.messages[type]?.$ref).toBe(`#/components/messages/${type}`);
    expect(document.channels[topic]?.bindings.kafka.partitions).toBe(topics[topic].partitions);
  }
});

it('gives the state topic one address an environment', () => {
  expect(document.channels['flag.state']?.address).toBe('tidegate.flag.state.{environment}');
});
