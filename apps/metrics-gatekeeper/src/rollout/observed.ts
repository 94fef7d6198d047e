import type {
  FlagCommandAnswered,
  FlagDisabled,
  FlagEnabled,
  FlagHeld,
  FlagReleased,
  MessageOf,
  MigrationCancelled,
  MigrationCommandAnswered,
  MigrationCompleted,
  MigrationFailed,
  MigrationPaused,
  MigrationResumed,
  MigrationStarted,
} from '@tidegate/contracts';

export type FlagMessage =
  | MessageOf<typeof FlagHeld>
  | MessageOf<typeof FlagReleased>
  | MessageOf<typeof FlagDisabled>
  | MessageOf<typeof FlagEnabled>
  | MessageOf<typeof FlagCommandAnswered>;
export type MigrationMessage =
  | MessageOf<typeof MigrationStarted>
  | MessageOf<typeof MigrationPaused>
  | MessageOf<typeof MigrationResumed>
  | MessageOf<typeof MigrationCompleted>
  | MessageOf<typeof MigrationFailed>
  | MessageOf<typeof MigrationCancelled>
  | MessageOf<typeof MigrationCommandAnswered>;

/** What other services say that a rollout must know. */
export type ObservedMessage = FlagMessage | MigrationMessage;
export type AnswerMessage = MessageOf<typeof FlagCommandAnswered | typeof MigrationCommandAnswered>;
