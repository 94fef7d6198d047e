import type { Command } from 'commander';
import type { World } from '../command.ts';
import { registerCheck } from './check-command.ts';
import { registerList } from './list-command.ts';
import { registerLog } from './log-command.ts';
import { registerNew } from './new-command.ts';
import { registerReport } from './report-command.ts';
import { registerQuarantine } from './quarantine-command.ts';
import { registerRevert } from './revert-command.ts';
import { registerRun } from './run-command.ts';
import { registerRuns } from './runs-command.ts';
import { registerShow } from './show-command.ts';
import { registerVerbs } from './verb-commands.ts';

const registers = [
  registerNew,
  registerCheck,
  registerList,
  registerRun,
  registerShow,
  registerReport,
  registerRuns,
  registerVerbs,
  registerRevert,
  registerLog,
  registerQuarantine,
];

export function registerMigration(program: Command, world: World): void {
  const migration = program.command('migration').description('data migrations');
  for (const register of registers) register(migration, world);
}
