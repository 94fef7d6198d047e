import type { Command } from 'commander';
import pc from 'picocolors';
import { acting, type World } from '../command.ts';
import { table, time } from '../output/output.ts';

/** A guard as metrics-gatekeeper shows it. */
interface GuardShown {
  readonly plan: string;
  readonly guard: string;
  readonly judge?: string;
  readonly shadow?: boolean;
  readonly rollouts: number;
  readonly breached: number;
  readonly wouldHaveBreached: number;
  readonly heldForData: number;
  readonly hasFired: boolean;
  readonly lastFiredAt?: number;
}

/** `tidegate gate …` */
export function registerGate(program: Command, world: World): void {
  program
    .command('gate')
    .description('guards, and what they have done')
    .command('list', { isDefault: true })
    .description(
      'for each plan and guard: in how many rollouts it was judged, breached, or would have',
    )
    .option('-p, --plan <plan>', 'only those of one plan')
    .action(
      acting(world, async ({ client, out }, { plan }: { plan?: string }) => {
        const query = plan === undefined ? '' : `?plan=${encodeURIComponent(plan)}`;
        const items = await client.all<GuardShown>('metrics-gatekeeper', `/v1/guards${query}`);
        out.show({ items }, () => guardTable(items));
      }),
    );
}

const guardTable = (items: readonly GuardShown[]): string =>
  table(
    ['plan', 'guard', 'judge', 'rollouts', 'breached', 'would have', 'held for data', 'last fired'],
    items.map((each) => [
      each.plan,
      each.guard,
      judgeOf(each),
      each.rollouts,
      each.breached,
      each.wouldHaveBreached,
      each.heldForData,
      firedOf(each),
    ]),
    'No plan has guards yet.',
  );

function judgeOf({ judge, shadow }: GuardShown): string {
  if (judge === undefined) return pc.dim('no longer in the plan');
  return shadow === true ? `${judge} (shadow)` : judge;
}

/** A guard that has never fired may not be able to: a rehearsal with an injected regression shows. */
const firedOf = ({ hasFired, lastFiredAt }: GuardShown): string =>
  hasFired && lastFiredAt !== undefined ? time(lastFiredAt) : pc.yellow('never seen to fire');
