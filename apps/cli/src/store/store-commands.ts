import { AppError } from '@tidegate/kernel';
import type { Command } from 'commander';
import { acting, type Tools, type World } from '../command.ts';
import { facts } from '../output/output.ts';
import { openStore } from './open-store.ts';

/** `tidegate store …`: on the store itself, since the services refuse to run on one that is behind. */
export function registerStore(program: Command, world: World): void {
  program
    .command('store')
    .description('the store itself: services must be stopped')
    .command('restored')
    .description('say that an older backup of the store was put back; its epoch is raised')
    .option('-y, --yes', 'do it; else it is only shown, or asked for on a terminal')
    .addHelpText(
      'after',
      `
The store is found as the services find it: STORE_URL, else store.db in DATA_DIR (default .tidegate).
Stop every service first, and start them again afterwards. See docs/backup-and-restore.md.`,
    )
    .action(acting(world, (tools, { yes = false }: { yes?: boolean }) => restored(tools, yes)));
}

const MEANING = [
  'every flag, rollout and migration counts as newer than what was published before;',
  'flags: newer states are taken over from the bus before anything is served;',
  'rollouts and migrations that were under way are paused until a person has looked;',
  'the audit log is completed from its archive and from the bus.',
];

async function restored({ out, world }: Tools, yes: boolean): Promise<void> {
  const { where, isShared, store } = await openStore(world.env);
  try {
    const { epoch } = store;
    const look = { store: where, epoch, next: epoch + 1 };
    const human = (title: string, now: number): string =>
      facts([
        ['store', where],
        ['epoch', now],
        [title, MEANING[0]],
        ...MEANING.slice(1).map((line) => ['', line] as const),
        ['services', isShared ? 'must all be stopped: nothing here can tell' : 'none is running'],
      ]);
    if (!yes && !out.json) out.line(human(`${epoch + 1} means`, epoch));
    if (!yes && !(await isConfirmed(world, out.json, epoch))) {
      if (out.json) out.show({ ...look, raised: false }, () => '');
      throw new AppError('CLI_NOT_CONFIRMED', 'Nothing was changed. Add --yes to raise the epoch.');
    }
    const raised = await store.raiseEpoch();
    out.show({ store: where, epoch: raised, raised: true }, () =>
      [human('which means', raised), 'Start the services again.'].join('\n'),
    );
  } finally {
    await store.close();
  }
}

const isConfirmed = async ({ ask }: World, json: boolean, epoch: number): Promise<boolean> =>
  ask !== undefined &&
  !json &&
  (await ask(`Raise the epoch from ${epoch} to ${epoch + 1}? Type yes: `)).trim() === 'yes';
