import { type MigrationAction, migrationActions } from '@tidegate/contracts';
import { AppError } from '@tidegate/kernel';
import type { Command } from 'commander';

export type ActionOptions = { readonly [A in MigrationAction]?: boolean } & {
  readonly dryRun?: boolean;
};

const SAID: Readonly<Record<MigrationAction, string>> = {
  plan: 'another name of --dry-run',
  backup: 'keep all that is pending as it is, or have a snapshot made',
  execute: 'change the data',
  verify: 'count what is left and check samples',
  revert: 'put back what was changed',
  cutover: 'prove that the new form alone may be read',
  cleanup: 'give up the way back',
};

export const addActions = (command: Command): Command =>
  migrationActions.reduce(
    (with_, action) => with_.option(`--${action}`, SAID[action]),
    command.option('--dry-run', 'only say what would change'),
  );

/** Thrown CLI_USAGE when there are several. */
export function actionOf({ dryRun, ...actions }: ActionOptions): MigrationAction {
  const asked = migrationActions.filter((action) => actions[action] === true);
  const action = asked[0] ?? 'plan';
  if (asked.length > 1 || (dryRun === true && action !== 'plan'))
    throw new AppError(
      'CLI_USAGE',
      `Give one of --dry-run (--plan), ${migrationActions
        .filter((each) => each !== 'plan')
        .map((each) => `--${each}`)
        .join(', ')}.`,
    );
  return action;
}
