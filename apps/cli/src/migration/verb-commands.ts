import type { Command } from 'commander';
import { acting, type World } from '../command.ts';
import { toned } from '../output/output.ts';
import { pathOf, type ShownRun } from './shown-run.ts';

const VERBS = {
  pause: 'stop after the document at hand; resume goes on there',
  resume: 'go on after a pause',
  cancel: 'stop for good; what is changed stays changed',
} as const;

export function registerVerbs(migration: Command, world: World): void {
  for (const [verb, description] of Object.entries(VERBS))
    migration
      .command(`${verb} <run>`)
      .description(description)
      .requiredOption('-r, --reason <reason>', 'why; it is in the audit log')
      .action(
        acting(world, async ({ client, out }, run: string, { reason }: { reason: string }) => {
          const path = `${pathOf(run)}/${verb}`;
          const { body } = await client.call<ShownRun>('migration-runner', 'POST', path, {
            body: { reason },
          });
          out.show(body, () => `${run} is ${toned(body.status)}.`);
        }),
      );
}
