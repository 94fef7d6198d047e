import { topicDefinition, type TopicDefinition } from '@tidegate/contracts';

const DAY = 86_400_000;

/** Replayed records wait here for the group that their header names; internal, so it is not in the catalogue. */
export const REPLAYS = 'replays';
export const DEAD_LETTER = 'dead-letter';
export const KILLS = 'kills';

const replays: TopicDefinition = {
  partitions: 1,
  cleanup: 'delete',
  retentionMs: 90 * DAY,
  audited: false,
};

/** The catalogue's topics and the bus's own. */
export const definitionOfTopic = (topic: string): TopicDefinition | undefined =>
  topic === REPLAYS ? replays : topicDefinition(topic);
