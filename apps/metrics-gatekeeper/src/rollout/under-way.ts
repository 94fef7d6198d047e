import { commandsByHand, disableByHand } from '@tidegate/platform';

interface Watched {
  readonly environment: string;
  readonly flag: string;
}

const MOST = 5;
const MEANWHILE = {
  bus: 'While this lasts no rollback of them reaches anybody.',
  store:
    'While this lasts nobody judges them; if flag-service still reaches its store, a person can end them.',
} as const;

/** Which rollouts are under way, and how to end what they opened by hand: for a page. Undefined without any. */
export function underWay(
  rollouts: readonly (readonly [string, Watched])[],
  missing: keyof typeof MEANWHILE,
): string | undefined {
  if (rollouts.length === 0) return undefined;
  const shown = rollouts.slice(0, MOST);
  const more =
    rollouts.length > MOST
      ? ` and ${rollouts.length - MOST} more (tidegate rollout list --live)`
      : '';
  const names = shown.map(([id, { environment, flag }]) => `${id} (${flag} in ${environment})`);
  const commands = rollouts.map(([, { environment, flag }]) => disableByHand(environment, flag));
  const count = rollouts.length === 1 ? '1 rollout is' : `${rollouts.length} rollouts are`;
  return (
    `${count} under way here: ${names.join(', ')}${more}. ${MEANWHILE[missing]} ` +
    `${commandsByHand(commands)}`
  );
}
