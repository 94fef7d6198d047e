import { flagDefinition } from '@tidegate/contracts';
import type { Fact } from '@tidegate/kernel';
import type { AnyRolloutCommand } from '../rollout/command.ts';
import type { RolloutMessage } from '../rollout/message.ts';
import type { ObservedMessage } from '../rollout/observed.ts';

/** What a rehearsal does not rehearse, as a sentence for its result. */
export const STAND_INS =
  'Flag changes, migrations and approvals are answered at once, and always with yes: how long they take, and what they refuse, is not rehearsed.';

/** The flag as it is before: nobody has it yet. */
const closedFlag = flagDefinition.parse({
  type: 'boolean',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  offVariant: 'off',
  exposure: { variant: 'on', percentage: 0 },
});

/**
 * What flag-service, migration-runner or an approver says to one message of a rollout, at once, as the command that
 * its rules take; undefined where nobody answers.
 */
export function answerTo(message: Fact<RolloutMessage>, id: string): AnyRolloutCommand | undefined {
  const { at } = message.metadata;
  const metadata = { id, source: 'rehearsal', at, actor: 'stand-in', correlationId: id };
  if (message.type === 'ApprovalRequested') {
    const { rollout, step } = message.data;
    return { type: 'ApproveRollout', key: rollout, data: { rollout, step }, metadata };
  }
  const heard = heardOf(message);
  if (heard === undefined) return undefined;
  const from = { ...metadata, revision: { epoch: 1, version: 1 } };
  const data = { ...heard, key: '', metadata: from } as unknown as ObservedMessage;
  return { type: 'RecordEvent', data, metadata };
}

/** So that what a plan reverts is rehearsed too. */
const ONE = {
  total: { matched: 1, changed: 1, skipped: 0, mismatched: 0 },
  report: { about: 'documents' },
};

function heardOf({ type, data, metadata }: Fact<RolloutMessage>) {
  const command = { id: metadata.id, source: 'metrics-gatekeeper', type };
  const changed = { ...data, command, outcome: 'changed', version: 1 };
  switch (type) {
    case 'HoldFlag':
      return { type: 'FlagHeld', data: { ...data, definition: closedFlag, disabled: false } };
    case 'SetExposure':
    case 'RestoreFlag':
      return { type: 'FlagCommandAnswered', data: changed };
    case 'RunMigration':
    case 'ResumeMigration':
      return { type: 'MigrationCompleted', data: { ...data, ...ONE } };
    case 'PauseMigration':
      return { type: 'MigrationCommandAnswered', data: changed };
    default:
      return undefined;
  }
}
