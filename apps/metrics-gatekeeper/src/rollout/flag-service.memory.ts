import type { Bus } from '@tidegate/bus';
import {
  answerTo,
  definitionOf,
  type FlagDefinition,
  flagDefinition,
  type Message,
  type RolloutRef,
} from '@tidegate/contracts';
import type { Clock, Ids } from '@tidegate/kernel';

type Outcome =
  { readonly outcome: 'changed' } | { readonly outcome: 'refused'; code: string; message: string };

/** Stands in for flag-service on the bus, as far as a rollout sees it. */
export interface FlagDouble {
  /** In thousandths. */
  readonly percentage: () => number;
  readonly heldBy: () => RolloutRef | undefined;
  /** Commands in the order in which they came. */
  readonly received: readonly Message[];
  /** From now on commands of this type are refused, or not answered at all. */
  treat(type: string, how: 'refuse' | 'ignore' | 'obey'): void;
  /** What a person does to the flag. */
  disable(by: string, reason: string): Promise<void>;
}

const definitionAt = (percentage: number): FlagDefinition =>
  flagDefinition.parse({
    type: 'boolean',
    variants: { on: true, off: false },
    defaultVariant: 'off',
    offVariant: 'off',
    exposure: { variant: 'on', percentage },
  });

/** One flag, not exposed at first, in one environment. */
export async function flagDouble(
  { bus, clock, ids }: { bus: Bus; clock: Clock; ids: Ids },
  ref: { environment: string; key: string },
): Promise<FlagDouble> {
  const received: Message[] = [];
  const treatments = new Map<string, 'refuse' | 'ignore' | 'obey'>();
  let definition = definitionAt(0);
  let held: RolloutRef | undefined;

  const publish = (
    cause: Message | undefined,
    type: string,
    data: object,
    actor = 'flag-service',
  ) => {
    const { topic = 'flag.events' } = definitionOf(type) ?? {};
    const id = ids.next();
    const correlationId = cause?.metadata.correlationId ?? id;
    const metadata = { id, source: 'flag-service', at: clock.now(), actor, correlationId };
    return bus.publish([{ type, key: `${ref.environment}/${ref.key}`, topic, data, metadata }]);
  };

  const obey = async (command: Message): Promise<Outcome> => {
    const data = command.data as {
      rollout: RolloutRef;
      percentage?: number;
      definition?: FlagDefinition;
    };
    const late = held?.id === data.rollout.id && data.rollout.generation < held.generation;
    if (late) return { outcome: 'refused', code: 'GENERATION_OLD', message: 'too late' };
    switch (command.type) {
      case 'HoldFlag': {
        if (held && held.id !== data.rollout.id)
          return { outcome: 'refused', code: 'FLAG_HELD', message: `${held.id} holds it` };
        held = data.rollout;
        await publish(command, 'FlagHeld', { ...ref, rollout: held, definition, disabled: false });
        break;
      }
      case 'SetExposure':
        definition = definitionAt(data.percentage ?? definition.exposure.percentage);
        break;
      case 'RestoreFlag':
        definition = data.definition ?? definition;
        held = data.rollout;
        break;
      case 'ReleaseFlag':
        held = undefined;
        break;
      default:
        break;
    }
    return { outcome: 'changed' };
  };

  const handle = async (command: Message): Promise<void> => {
    received.push(command);
    const how = treatments.get(command.type) ?? 'obey';
    if (how === 'ignore') return;
    const outcome: Outcome =
      how === 'refuse'
        ? { outcome: 'refused', code: 'FLAG_UNWILLING', message: 'told to refuse' }
        : await obey(command);
    const answer = answerTo(command, { ...outcome, version: received.length });
    if (answer) await publish(command, answer.type, answer.data);
  };

  for (const [topic, types] of [
    ['flag.commands', ['HoldFlag', 'SetExposure', 'ReleaseFlag']],
    ['kills', ['RestoreFlag']],
  ] as const)
    await bus.subscribe({
      group: `flag-double.${topic}`,
      topics: [topic],
      types: new Set(types),
      handle: ({ message }) => handle(message),
    });

  return {
    received,
    percentage: () => definition.exposure.percentage,
    heldBy: () => held,
    treat: (type, how) => treatments.set(type, how),
    disable: (by, reason) =>
      publish(undefined, 'FlagDisabled', { ...ref, disabled: { reason, at: clock.now(), by } }, by),
  };
}
