/**
 * Every topic, without its prefix. Command, kill and state topics have one partition, since foreign
 * clients hash keys differently; event topics several.
 */
export interface TopicDefinition {
  readonly partitions: number;
  /** `compact` keeps the newest record of each key, else records are kept for `retentionMs`. */
  readonly cleanup: 'delete' | 'compact';
  readonly retentionMs?: number;
  /** Goes into the audit log, raw. */
  readonly audited: boolean;
}

const DAY = 86_400_000;
const commands = { partitions: 1, cleanup: 'delete', retentionMs: 7 * DAY, audited: true } as const;
const events = { partitions: 6, cleanup: 'delete', retentionMs: 30 * DAY, audited: true } as const;
const MINUTE = 60_000;
/** Whoever starts reads all of it. */
const heartbeats = {
  partitions: 1,
  cleanup: 'delete',
  retentionMs: 10 * MINUTE,
  audited: false,
} as const;

export const topics = {
  kills: commands,
  'flag.commands': commands,
  'flag.events': events,
  'flag.state': { partitions: 1, cleanup: 'compact', audited: false },
  'rollout.commands': commands,
  'rollout.events': events,
  'migration.commands': commands,
  'migration.events': events,
  'metric.breaches': events,
  signals: events,
  'notification.events': events,
  'audit.events': events,
  'audit.seals': { partitions: 1, cleanup: 'delete', retentionMs: 365 * DAY, audited: false },
  'gatekeeper.heartbeats': heartbeats,
  'sdk.heartbeats': heartbeats,
  'dead-letter': { partitions: 1, cleanup: 'delete', retentionMs: 90 * DAY, audited: true },
} as const satisfies Record<string, TopicDefinition>;

export type Topic = keyof typeof topics;

/** `flag.state` is one topic per environment: `flag.state.production`. */
export const stateTopic = (environment: string): string => `flag.state.${environment}`;

/** The definition behind a topic's name, also of a per-environment state topic. */
export function topicDefinition(name: string): TopicDefinition | undefined {
  if (name.startsWith('flag.state.')) return topics['flag.state'];
  return Object.hasOwn(topics, name) ? topics[name as Topic] : undefined;
}
