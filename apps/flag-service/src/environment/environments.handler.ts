import type { PutEnvironment } from '@tidegate/contracts';
import { reject, type Rejection } from '@tidegate/kernel';
import type { Collection, Documents, Execute, Outcome } from '@tidegate/store';
import { type Environment, environmentDecider } from './environment.ts';

export const environmentCollection: Collection<Environment> = {
  name: 'environments',
  schemaVersion: 1,
  index: ({ status }) => ({ present: status === 'present' }),
};

export interface ListedEnvironment {
  readonly environment: string;
  readonly description?: string;
}

export interface Environments {
  put(command: PutEnvironment): Promise<Outcome<Environment>>;
  has(name: string): Promise<boolean>;
  find(name: string): Promise<ListedEnvironment | undefined>;
  /** In order of name, those after `after`. */
  list(page: { after?: string | undefined; limit: number }): Promise<readonly ListedEnvironment[]>;
}

export const environmentUnknown = (name: string): Rejection =>
  reject('ENVIRONMENT_UNKNOWN', `There is no environment ${name}. An admin makes one explicitly.`);

const PAGE = 500;

/** Every environment there is, page by page. */
export async function* allEnvironments(environments: Environments): AsyncGenerator<string> {
  for (let after: string | undefined; ;) {
    const page = await environments.list({ after, limit: PAGE });
    for (const { environment } of page) yield environment;
    after = page.at(-1)?.environment;
    if (page.length < PAGE) return;
  }
}

export function createEnvironments(
  execute: Execute,
  documents: Documents<Environment>,
): Environments {
  /** Environments are never taken away, so what was there once is there. */
  const known = new Set<string>();
  const find = async (name: string): Promise<ListedEnvironment | undefined> => {
    const document = await documents.load(name);
    return document && shown(name, document.state);
  };
  return {
    put: (command) =>
      execute({ documents, decider: environmentDecider }, command.data.environment, command),
    async has(name) {
      if (known.has(name)) return true;
      const found = (await find(name)) !== undefined;
      if (found) known.add(name);
      return found;
    },
    find,
    async list({ after, limit }) {
      const page = await documents.list({ where: { present: true }, after, limit });
      return page.flatMap(({ id, state }) => shown(id, state) ?? []);
    },
  };
}

const shown = (environment: string, state: Environment): ListedEnvironment | undefined =>
  state.status === 'absent'
    ? undefined
    : {
        environment,
        ...(state.description === undefined ? {} : { description: state.description }),
      };
