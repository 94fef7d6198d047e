interface Watched {
  readonly environment: string;
  readonly flag: string;
}

const MOST = 5;

/** Which rollouts are under way, and how to end what they opened by hand: for a page. Undefined without any. */
export function underWay(rollouts: readonly (readonly [string, Watched])[]): string | undefined {
  if (rollouts.length === 0) return undefined;
  const shown = rollouts.slice(0, MOST);
  const more = rollouts.length > MOST ? ` and ${rollouts.length - MOST} more` : '';
  const names = shown.map(([id, { environment, flag }]) => `${id} (${flag} in ${environment})`);
  const commands = shown.map(
    ([, { environment, flag }]) => `tidegate flag disable ${flag} --env ${environment}`,
  );
  const count = rollouts.length === 1 ? '1 rollout is' : `${rollouts.length} rollouts are`;
  return (
    `${count} under way here: ${names.join(', ')}${more}. While this lasts no rollback of them reaches anybody. ` +
    `By hand: ${[...new Set(commands)].join('; ')} --reason <why>.`
  );
}
