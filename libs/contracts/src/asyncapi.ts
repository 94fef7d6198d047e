import { z } from 'zod';
import { catalogue } from './catalogue.ts';
import type { MessageDefinition } from './message.ts';
import { type Topic, topics, type TopicDefinition } from './topics.ts';

const PREFIX = 'tidegate.';

/**
 * The AsyncAPI 3.0 description of every topic and message, from the catalogue.
 * Source: AsyncAPI 3.0.0, with Kafka bindings 0.5.0 (channel) and 0.5.0 (message).
 */
export function asyncApiDocument(): object {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Tidegate',
      version: '1.0.0',
      description:
        'Messages are CloudEvents 1.0 in the Kafka binary binding; the key is the id of what a message is about. Delivery is at least once, in order for each key; the identity of a message is (ce_source, ce_id).',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    channels: Object.fromEntries(
      (Object.keys(topics) as Topic[]).map((topic) => [topic, channelOf(topic)]),
    ),
    operations: Object.fromEntries(
      (Object.keys(topics) as Topic[]).map((topic) => [
        `${verbOf(topic)}-${topic}`,
        { action: verbOf(topic), channel: { $ref: `#/channels/${topic}` } },
      ]),
    ),
    components: {
      messages: Object.fromEntries(catalogue.map((each) => [each.type, messageOf(each)])),
      messageTraits: { cloudEvent: { headers: cloudEventHeaders } },
    },
  };
}

/** What others publish for us to act on, we receive; everything else we send. */
const verbOf = (topic: Topic): 'receive' | 'send' =>
  topic.endsWith('.commands') || ['kills', 'signals', 'sdk.heartbeats'].includes(topic)
    ? 'receive'
    : 'send';

function channelOf(topic: Topic): object {
  const definition: TopicDefinition = topics[topic];
  const perEnvironment = topic === 'flag.state';
  const address = `${PREFIX}${topic}${perEnvironment ? '.{environment}' : ''}`;
  return {
    address,
    ...(perEnvironment
      ? { parameters: { environment: { description: 'Key of an environment.' } } }
      : {}),
    messages: Object.fromEntries(
      catalogue
        .filter((each) => each.topic === topic)
        .map(({ type }) => [type, { $ref: `#/components/messages/${type}` }]),
    ),
    bindings: {
      kafka: {
        topic: address,
        partitions: definition.partitions,
        replicas: 3,
        topicConfiguration: {
          'cleanup.policy': [definition.cleanup],
          ...(definition.retentionMs === undefined
            ? {}
            : { 'retention.ms': definition.retentionMs }),
        },
        bindingVersion: '0.5.0',
      },
    },
    'x-audited': definition.audited,
  };
}

const messageOf = ({ type, wire, kind, schema, example, maxAgeMs }: MessageDefinition): object => ({
  name: wire,
  title: type,
  contentType: 'application/json',
  traits: [{ $ref: '#/components/messageTraits/cloudEvent' }],
  payload: z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }),
  examples: [{ name: wire, payload: example }],
  bindings: { kafka: { key: { type: 'string' }, bindingVersion: '0.5.0' } },
  'x-kind': kind,
  ...(maxAgeMs === undefined ? {} : { 'x-max-age-ms': maxAgeMs }),
});

const text = { type: 'string' } as const;
const cloudEventHeaders = {
  type: 'object',
  required: ['ce_specversion', 'ce_id', 'ce_source', 'ce_type', 'ce_time'],
  properties: {
    ce_specversion: { type: 'string', const: '1.0' },
    ce_id: text,
    ce_source: text,
    ce_type: { ...text, description: 'With major version, e.g. tidegate.flag.disabled.v1.' },
    ce_time: { ...text, format: 'date-time' },
    ce_subject: { ...text, description: 'The key.' },
    ce_actor: { ...text, description: 'Who asked; else the source.' },
    ce_correlationid: {
      ...text,
      description: 'The rollout or request that began it; else the id.',
    },
    ce_causationid: { ...text, description: 'The message that caused it.' },
    ce_epoch: { ...text, description: 'With ce_version: the state that the message is about.' },
    ce_version: text,
    traceparent: { ...text, description: 'W3C trace context.' },
  },
} as const;
