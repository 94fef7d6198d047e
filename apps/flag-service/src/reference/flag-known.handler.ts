import type { FlagDefinition } from '@tidegate/contracts';
import type { AnyFlagCommand } from '../flag/recover-flag.ts';
import { type Known, NOTHING } from './known.ts';
import type { References } from './references.handler.ts';

export type FlagKnown = (command: AnyFlagCommand) => Promise<Known>;

/**
 * What the rules must know of other flags and of segments to decide on a command. A kill and whatever else a rollout
 * asks for need nothing: no document but the flag's own may stand in their way.
 * @param countIn how many flags an environment has
 */
export const createFlagKnown =
  (references: References, countIn: (environment: string) => Promise<number>): FlagKnown =>
  async ({ type, data }) => {
    const { environment, key } = data;
    if (type === 'DeleteFlag')
      return { ...NOTHING, users: await references.usersOf('flag', environment, key) };
    if (type === 'PutFlag') {
      const [reached, awaited, count] = await Promise.all([
        reachedFrom(references, environment, data.definition),
        references.awaited(environment, key, data.definition),
        countIn(environment),
      ]);
      return { ...reached, awaited, count };
    }
    if (type === 'RestoreFlag' && !data.rollout) {
      const [reached, awaited] = await Promise.all([
        reachedFrom(references, environment, data.definition),
        references.awaited(environment, key, data.definition),
      ]);
      return { ...reached, awaited };
    }
    return NOTHING;
  };

async function reachedFrom(
  references: References,
  environment: string,
  definition: FlagDefinition,
): Promise<Known> {
  const [flags, segments] = await Promise.all([
    references.flags(environment, definition),
    references.segments(environment, definition),
  ]);
  return { ...NOTHING, flags, segments };
}
