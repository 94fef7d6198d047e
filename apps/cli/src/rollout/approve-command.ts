import type { Command } from 'commander';
import { AppError } from '@tidegate/kernel';
import { acting, type Tools, type World } from '../command.ts';
import { toned } from '../output/output.ts';
import type { RolloutShown } from './timeline.ts';

interface ApproveOptions {
  readonly reason: string;
  readonly yes?: boolean;
}

export function registerApprove(rollout: Command, world: World): void {
  rollout
    .command('approve <id>')
    .description('say that the step which waits may go on, having read the dry run before it')
    .requiredOption('-r, --reason <reason>', 'why; it is in the audit log')
    .option('-y, --yes', 'do not ask on a terminal')
    .action(
      acting(world, async (tools, id: string, { reason, yes }: ApproveOptions) => {
        const { client, out } = tools;
        const path = `/v1/rollouts/${encodeURIComponent(id)}`;
        const { body: waiting } = await client.call<RolloutShown>(
          'metrics-gatekeeper',
          'GET',
          path,
        );
        await showDryRun(tools, waiting);
        if (yes !== true && !(await isConfirmed(tools, waiting)))
          throw new AppError('CLI_REFUSED', 'Nothing was approved.');
        // What was read, and not whatever waits by now.
        const step = waiting.dryRun ? waiting.step : undefined;
        const { body } = await client.call<RolloutShown>(
          'metrics-gatekeeper',
          'POST',
          `${path}/approve`,
          { body: { reason, step: step ?? undefined } },
        );
        out.show(body, () => `${body.id} is ${toned(body.status)}.`);
      }),
    );
}

/** Nobody approves a migration unseen: without its report this fails. In JSON the rollout names the run. */
async function showDryRun({ client, out }: Tools, { dryRun }: RolloutShown): Promise<void> {
  if (!dryRun || out.json) return;
  const path = `/v1/runs/${encodeURIComponent(dryRun.run)}/report?format=markdown`;
  const { body } = await client.call<unknown>('migration-runner', 'GET', path);
  out.line(`The dry run of ${dryRun.step}, ${dryRun.run}:\n\n${String(body).trimEnd()}\n`);
}

const isConfirmed = async (
  { world, out }: Tools,
  { id, step, dryRun }: RolloutShown,
): Promise<boolean> =>
  world.ask === undefined ||
  out.json ||
  !dryRun ||
  (await world.ask(`Approve ${step ?? 'the step'} of ${id}? Type yes: `)).trim() === 'yes';
