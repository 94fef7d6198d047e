import type { DraftOf, EnvironmentChanged, PutEnvironment } from '@tidegate/contracts';
import type { Decider } from '@tidegate/kernel';

/** Environments are made explicitly and stay: a flag of one that nobody made is a typing mistake. */
export type Environment =
  { readonly status: 'absent' } | { readonly status: 'present'; readonly description?: string };

type EnvironmentEvent = DraftOf<typeof EnvironmentChanged>;

const isAs = (environment: Environment, description: string | undefined): boolean =>
  environment.status === 'present' && environment.description === description;

export const environmentDecider: Decider<Environment, PutEnvironment, EnvironmentEvent> = {
  initial: { status: 'absent' },
  decide({ data: { environment: name, description } }, environment) {
    if (isAs(environment, description)) return [];
    return [
      {
        type: 'EnvironmentChanged',
        data: { environment: name, ...(description === undefined ? {} : { description }) },
      },
    ];
  },
  evolve: (_environment, { data: { description } }) => ({
    status: 'present',
    ...(description === undefined ? {} : { description }),
  }),
};
