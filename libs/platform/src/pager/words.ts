/** A command that must not wait, as a page names it. */
export interface Kill {
  readonly type: string;
  /** Of its message: the aggregate it is about. */
  readonly key: string;
}

export const nameOf = ({ type, key }: Kill): string => (key === '' ? type : `${type} of ${key}`);

const REASON = `--reason 'by hand, after a page'`;

/** As a shell takes it: what others have sent may be anything. */
const quoted = (text: string): string =>
  /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

/** What turns a flag off over HTTP: it needs flag-service and its store, and no bus. */
export const disableByHand = (environment: string, flag: string): string =>
  `tidegate flag disable ${quoted(flag)} --env ${quoted(environment)} ${REASON}`;

/** What a person can do instead of the command, over HTTP, which needs no bus; undefined for what is no command. */
export function byHand({ type, key }: Kill): string | undefined {
  if (key === '') return undefined;
  switch (type) {
    case 'DisableFlag':
    case 'RestoreFlag': {
      const [environment = '', ...rest] = key.split('/');
      return rest.length === 0 ? undefined : disableByHand(environment, rest.join('/'));
    }
    case 'PauseMigration':
      return `tidegate migration pause ${quoted(key)} ${REASON}`;
    case 'RollBack':
      return `tidegate rollout rollback ${quoted(key)} ${REASON}`;
    case 'AbortRollout':
      return `tidegate rollout abort ${quoted(key)} ${REASON}`;
    default:
      return undefined;
  }
}

const MOST = 5;

/** Each on a line of its own, to be pasted as it is. Undefined without any. */
export function commandsByHand(commands: readonly (string | undefined)[]): string | undefined {
  const each = [...new Set(commands)].filter((command) => command !== undefined);
  if (each.length === 0) return undefined;
  const more = each.length > MOST ? [`(and ${each.length - MOST} more like these)`] : [];
  return ['By hand:', ...each.slice(0, MOST), ...more].join('\n') + '\n';
}

/** "DisableFlag of production/a, RestoreFlag of production/b and 3 more". */
export const list = (items: readonly string[], separator = ', '): string => {
  const named = items.slice(0, MOST).join(separator);
  return items.length > MOST ? `${named} and ${items.length - MOST} more` : named;
};

/** When the first of them was. */
export const oldest = (all: readonly { readonly at: number }[]): number | undefined =>
  all.length === 0 ? undefined : Math.min(...all.map(({ at }) => at));

/** What a driver has said, as a sentence among others. */
export const sentence = (said = ''): string => (/[.!?]$/.test(said) ? said : `${said}.`);

/** Those sentences that there are, as a text. */
export const words = (...sentences: readonly (string | undefined)[]): string =>
  sentences
    .filter((each) => each !== undefined && each !== '')
    .join(' ')
    .replaceAll('\n ', '\n');
