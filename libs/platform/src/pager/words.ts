/** A command that must not wait, as a page names it. */
export interface Kill {
  readonly type: string;
  /** Of its message: the aggregate it is about. */
  readonly key: string;
}

export const nameOf = ({ type, key }: Kill): string => `${type} of ${key}`;

/** What a person can do instead of the command, over HTTP, which needs no bus. */
export function byHand({ type, key }: Kill): string {
  const [environment = '', ...rest] = key.split('/');
  if (type === 'DisableFlag' || type === 'RestoreFlag')
    return `tidegate flag disable ${rest.join('/')} --env ${environment} --reason <why>`;
  if (type === 'PauseMigration') return `tidegate migration pause ${key} --reason <why>`;
  return `tidegate rollout rollback ${key} --reason <why>`;
}

const MOST = 5;

/** "DisableFlag of production/a, RestoreFlag of production/b and 3 more". */
export const list = (items: readonly string[], separator = ', '): string => {
  const named = items.slice(0, MOST).join(separator);
  return items.length > MOST ? `${named} and ${items.length - MOST} more` : named;
};

/** When the first of them was. */
export const oldest = (all: readonly { readonly at: number }[]): number | undefined =>
  all.length === 0 ? undefined : Math.min(...all.map(({ at }) => at));

/** Those sentences that there are, as a text. */
export const words = (...sentences: readonly (string | undefined)[]): string =>
  sentences.filter((each) => each !== undefined && each !== '').join(' ');
