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
  SegmentCommandAnswered,
  SegmentHeld,
  SegmentReleased,
} from '@tidegate/contracts';

export type FlagMessage =
  | MessageOf<typeof FlagHeld>
  | MessageOf<typeof FlagReleased>
  | MessageOf<typeof FlagDisabled>
  | MessageOf<typeof FlagEnabled>
  | MessageOf<typeof FlagCommandAnswered>;
export type SegmentMessage =
  | MessageOf<typeof SegmentHeld>
  | MessageOf<typeof SegmentReleased>
  | MessageOf<typeof SegmentCommandAnswered>;
export type MigrationMessage =
  | MessageOf<typeof MigrationStarted>
  | MessageOf<typeof MigrationPaused>
  | MessageOf<typeof MigrationResumed>
  | MessageOf<typeof MigrationCompleted>
  | MessageOf<typeof MigrationFailed>
  | MessageOf<typeof MigrationCancelled>
  | MessageOf<typeof MigrationCommandAnswered>;

/** What other services say that a rollout must know. */
export type ObservedMessage = FlagMessage | SegmentMessage | MigrationMessage;
export type AnswerMessage = MessageOf<typeof FlagCommandAnswered | typeof MigrationCommandAnswered>;
