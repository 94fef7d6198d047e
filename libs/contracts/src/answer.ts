import type { Answer } from '@tidegate/kernel';
import { definitionOf } from './catalogue.ts';
import { EnvironmentCommandAnswered, FlagCommandAnswered } from './flag-events.ts';
import type { RolloutRef } from './fields.ts';
import type { Message, MessageDefinition } from './message.ts';
import { MigrationCommandAnswered } from './migration.ts';
import { RolloutCommandAnswered } from './rollout-events.ts';
import { SegmentCommandAnswered } from './segment.ts';

const answers: readonly (readonly [MessageDefinition, readonly string[]])[] = [
  [FlagCommandAnswered, ['environment', 'key']],
  [EnvironmentCommandAnswered, ['environment']],
  [RolloutCommandAnswered, ['rollout']],
  [MigrationCommandAnswered, ['run']],
  [SegmentCommandAnswered, ['environment', 'key']],
];
const byNoun: Record<string, (typeof answers)[number] | undefined> = {
  flag: answers[0],
  environment: answers[1],
  rollout: answers[2],
  migration: answers[3],
  segment: answers[4],
};

/** The answer event to a command, as a draft; undefined for messages that are no commands or have no answer. */
export function answerTo(
  command: Pick<Message, 'type' | 'data'> & { metadata: { id: string; source: string } },
  answer: Answer,
): { type: string; data: Record<string, unknown> } | undefined {
  const definition = definitionOf(command.type);
  const found = byNoun[definition?.wire.split('.')[1] ?? ''];
  if (definition?.kind !== 'command' || !found) return undefined;
  const [{ type }, subject] = found;
  const data = command.data as Record<string, unknown> & { rollout?: RolloutRef };
  return {
    type,
    data: {
      ...Object.fromEntries(subject.map((field) => [field, data[field]])),
      ...(type !== RolloutCommandAnswered.type && data.rollout ? { rollout: data.rollout } : {}),
      command: { id: command.metadata.id, source: command.metadata.source, type: command.type },
      ...answer,
    },
  };
}
