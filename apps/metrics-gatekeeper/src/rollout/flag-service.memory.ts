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

type Treatment = 'refuse' | 'ignore' | 'obey';
type Outcome =
  | { readonly outcome: 'changed' }
  | { readonly outcome: 'refused'; readonly code: string; readonly message: string };

/** What its specs run on: the bus and the ambient things of a service. */
interface Ambient {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly ids: Ids;
}

interface Ref {
  readonly environment: string;
  readonly key: string;
}

const definitionAt = (percentage: number): FlagDefinition =>
  flagDefinition.parse({
    type: 'boolean',
    variants: { on: true, off: false },
    defaultVariant: 'off',
    offVariant: 'off',
    exposure: { variant: 'on', percentage },
  });

/** Stands in for flag-service on the bus, as far as a rollout sees it: one flag, not exposed at first. */
export class FlagDouble {
  /** Commands in the order in which they came. */
  readonly received: Message[] = [];
  definition = definitionAt(0);
  heldBy: RolloutRef | undefined;
  readonly #ambient: Ambient;
  readonly #ref: Ref;
  readonly #treatments = new Map<string, Treatment>();

  constructor(ambient: Ambient, ref: Ref) {
    this.#ambient = ambient;
    this.#ref = ref;
  }

  async listen(): Promise<this> {
    const types = {
      'flag.commands': ['HoldFlag', 'SetExposure', 'ReleaseFlag'],
      kills: ['RestoreFlag'],
    };
    for (const [topic, wanted] of Object.entries(types))
      await this.#ambient.bus.subscribe({
        group: `flag-double.${topic}`,
        topics: [topic],
        types: new Set(wanted),
        handle: ({ message }) => this.#handle(message),
      });
    return this;
  }

  /** In thousandths. */
  get percentage(): number {
    return this.definition.exposure.percentage;
  }

  /** From now on commands of this type are refused, or not answered at all. */
  treat(type: string, how: Treatment): void {
    this.#treatments.set(type, how);
  }

  /** What a person does to the flag. */
  disable(by: string, reason: string): Promise<void> {
    const disabled = { reason, at: this.#ambient.clock.now(), by };
    return this.#publish('FlagDisabled', { ...this.#ref, disabled }, by);
  }

  async #handle(command: Message): Promise<void> {
    this.received.push(command);
    const how = this.#treatments.get(command.type) ?? 'obey';
    if (how === 'ignore') return;
    const outcome: Outcome =
      how === 'obey' ? await this.#obey(command) : refused('FLAG_UNWILLING', 'It was told so.');
    const answer = answerTo(command, { ...outcome, version: this.received.length });
    if (answer) await this.#publish(answer.type, answer.data);
  }

  async #obey({ type, data }: Message): Promise<Outcome> {
    const { rollout, percentage, definition } = data as {
      rollout: RolloutRef;
      percentage?: number;
      definition?: FlagDefinition;
    };
    if (this.heldBy && this.heldBy.id !== rollout.id)
      return refused('FLAG_HELD', `${this.heldBy.id} holds it.`);
    if (this.heldBy && rollout.generation < this.heldBy.generation)
      return refused('GENERATION_OLD', 'It comes too late.');
    if (percentage !== undefined) this.definition = definitionAt(percentage);
    if (definition) this.definition = definition;
    this.heldBy = type === 'ReleaseFlag' ? undefined : rollout;
    if (type === 'HoldFlag') {
      const held = { ...this.#ref, rollout, definition: this.definition, disabled: false };
      await this.#publish('FlagHeld', held);
    }
    return { outcome: 'changed' };
  }

  #publish(type: string, data: object, actor = 'flag-service'): Promise<void> {
    const { bus, clock, ids } = this.#ambient;
    const id = ids.next();
    const metadata = { id, source: 'flag-service', at: clock.now(), actor, correlationId: id };
    const topic = definitionOf(type)?.topic ?? '';
    const key = `${this.#ref.environment}/${this.#ref.key}`;
    return bus.publish([{ type, key, topic, data, metadata }]);
  }
}

const refused = (code: string, message: string): Outcome => ({ outcome: 'refused', code, message });
