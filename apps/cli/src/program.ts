import { AppError, isAppError, messageOf } from '@tidegate/kernel';
import { Command, CommanderError } from 'commander';
import pc from 'picocolors';
import { registerAudit } from './audit/audit-commands.ts';
import { registerBus } from './bus/bus-commands.ts';
import type { World } from './command.ts';
import { registerEnvironment } from './environment/environment-commands.ts';
import { registerFlag } from './flag/flag-commands.ts';
import { registerGate } from './gate/gate-commands.ts';
import { registerKey } from './key/key-commands.ts';
import { registerMigration } from './migration/migration-commands.ts';
import { harmless } from './output/output.ts';
import { registerPlan } from './plan/plan-commands.ts';
import { registerRollout } from './rollout/rollout-commands.ts';
import { registerSegment } from './segment/segment-commands.ts';
import { registerSignal } from './signal/signal-commands.ts';
import { registerStore } from './store/store-commands.ts';

export interface ProgramWorld extends World {
  readonly writeError: (text: string) => void;
  readonly version: string;
}

const registers = [
  registerEnvironment,
  registerFlag,
  registerSegment,
  registerPlan,
  registerRollout,
  registerGate,
  registerSignal,
  registerMigration,
  registerAudit,
  registerBus,
  registerKey,
  registerStore,
];
const USAGE = 2;
const REFUSED = 1;

function createProgram(world: ProgramWorld): Command {
  const program = new Command('tidegate')
    .description('Progressive delivery: rollouts that close themselves when the metrics turn.')
    .version(world.version)
    .option('--json', 'answer in JSON, for pipes')
    .showHelpAfterError('(add --help for what there is)')
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .configureOutput({ writeOut: world.write, writeErr: world.writeError })
    .addHelpText(
      'after',
      `
Services are looked for on 127.0.0.1 at 7401 to 7405; TIDEGATE_HOST, PORT_BASE or TIDEGATE_<SERVICE>_URL say otherwise.
The key is TIDEGATE_KEY, or what standalone left in its data folder (DATA_DIR, default .tidegate).`,
    );
  for (const register of registers) register(program, world);
  inherit(program, program);
  return program;
}

/** Commander's settings do not reach subcommands by themselves. */
function inherit(from: Command, command: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(from);
    inherit(from, child);
  }
}

/** Runs one command line and returns the exit code: 0 ok, 1 refused or failed, 2 usage. */
export async function run(argv: readonly string[], world: ProgramWorld): Promise<number> {
  const json = argv.includes('--json');
  try {
    await createProgram(world).parseAsync([...argv], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    if (world.signal.aborted && !isAppError(error, 'CLI_INTERRUPTED')) return REFUSED;
    const known = isAppError(error)
      ? error
      : new AppError('CLI_FAILED', messageOf(error), { cause: error });
    const { code, message, data } = known;
    world.writeError(
      json
        ? `${JSON.stringify({ error: { code, message, ...data } })}\n`
        : `${pc.red('✗')} ${harmless(message)}\n`,
    );
    return code === 'CLI_USAGE' ? USAGE : REFUSED;
  }
}
