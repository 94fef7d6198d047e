import { AppError } from '@tidegate/kernel';
import type { Command } from 'commander';
import { acting, type World } from '../command.ts';
import type { Client } from '../http/client.ts';
import { inArchive } from './archive.file.ts';
import type { Told } from './decision.ts';
import { complaintOf, explanationOf } from './explanation.ts';
import { type Found, Gathered } from './gathered.ts';
import { inRecords } from './records.http.ts';
import { renderExplanation } from './render.ts';

/** `tidegate rollout explain <id>` */
export function registerExplain(rollout: Command, world: World): void {
  rollout
    .command('explain <id>')
    .description('compute every verdict of a rollout again, and say if one differs')
    .option('--archive <folder>', 'from an archive of audit-sink, without any service')
    .option('--decisions', 'from metrics-gatekeeper’s history; else from the audit log')
    .addHelpText('after', '\nExit codes: 0 none differs, 1 one differs, 2 wrong usage.')
    .action(
      acting(world, async ({ client, out }, id: string, options: Options) => {
        const [from, read] = sourceOf(client, id, options);
        const explanation = explanationOf(id, from, await read());
        out.show(explanation, () => renderExplanation(explanation));
        const complaint = complaintOf(explanation);
        if (complaint !== undefined) throw new AppError('EXPLAIN_DIFFERS', complaint);
      }),
    );
}

interface Options {
  readonly archive?: string;
  readonly decisions?: boolean;
}

function sourceOf(
  client: Client,
  id: string,
  { archive, decisions }: Options,
): readonly [string, () => Promise<Found>] {
  if (archive !== undefined && decisions === true)
    throw new AppError('CLI_USAGE', '--archive and --decisions are two places; name one.');
  if (archive !== undefined) return [`the archive ${archive}`, () => inArchive(archive, id)];
  if (decisions === true) return ['metrics-gatekeeper’s decisions', () => inDecisions(client, id)];
  return ['audit-sink', () => inRecords(client, id)];
}

async function inDecisions(client: Client, id: string): Promise<Found> {
  const path = `/v1/rollouts/${encodeURIComponent(id)}/decisions`;
  const gathered = new Gathered();
  for (const told of await client.all<Told>('metrics-gatekeeper', path)) gathered.take(told);
  return gathered.found;
}
