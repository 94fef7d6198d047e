import {
  AbortRollout,
  ApproveRollout,
  CancelMigration,
  DeleteFlag,
  definitionOf,
  DisableFlag,
  EnableFlag,
  flagDefinition,
  type FlagDefinition,
  type FlagCommand,
  type MessageDefinition,
  type OutgoingMessage,
  PauseMigration,
  PauseRollout,
  PromoteRollout,
  PutFlag,
  ReleaseFlag,
  RestoreFlag,
  ResumeRollout,
  RollBack,
  type RolloutCommand,
  type SegmentCommand,
  StartRollout,
  ThresholdBreached,
} from '@tidegate/contracts';
import type { Answer } from '@tidegate/kernel';
import type { Outcome } from '@tidegate/store';
import { ENVIRONMENT, FLAG, PLAN, RIVAL, ROLLOUT, SIDE } from './scenario.ts';
import type { Doors } from './services.ts';
import { type Life, newLife, type Sim } from './sim.ts';
import type { SimBus } from './sim-bus.memory.ts';

/** A command to which somebody got an answer over HTTP. */
export interface Acknowledged {
  readonly type: string;
  readonly source: string;
  readonly id: string;
  readonly answer: Answer;
}

/** A process whose doors are open. */
export interface Door {
  readonly life: Life;
  readonly doors: Doors;
}

const base = flagDefinition.parse({
  type: 'boolean',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  offVariant: 'off',
  exposure: { variant: 'on', percentage: 0 },
  allowedUsers: ['user-1'],
});

export const definitionWith = (
  percentage: number,
  owner?: string,
  prerequisites: readonly string[] = [],
  segments: readonly string[] = [],
): FlagDefinition => ({
  ...base,
  exposure: { variant: 'on', percentage: percentage as FlagDefinition['exposure']['percentage'] },
  ...(owner === undefined ? {} : { owner }),
  prerequisites: prerequisites.map((flag) => ({ flag, variants: ['on'] })),
  rules: segments.map((segment) => ({ when: { segment }, variant: 'on' })),
});

const TIMEOUT_MS = 5_000;
const TRIES = 6;
const because = { reason: 'because' };
const flag = { environment: ENVIRONMENT, key: FLAG };
const side = { environment: ENVIRONMENT, key: SIDE };

/** People and programs outside: they ask over HTTP, again if nobody answers, or over the topics. */
export class People {
  readonly acknowledged: Acknowledged[] = [];
  readonly life = newLife('people', 'people');
  readonly #sim: Sim;
  readonly #bus: SimBus;
  readonly #doors: () => readonly Door[];

  constructor(sim: Sim, bus: SimBus, doors: () => readonly Door[]) {
    this.#sim = sim;
    this.#bus = bus;
    this.#doors = doors;
  }

  /** Over HTTP: tried again, as the same command, until there is an answer or patience is at its end. */
  async ask<T>(
    what: string,
    call: (doors: Doors) => Promise<Outcome<T>> | undefined,
  ): Promise<Outcome<T> | undefined> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const open = this.#doors().filter(({ doors }) => canAsk(doors, what));
      const door = open.length > 0 ? this.#sim.random.pick(open) : undefined;
      const outcome = door && (await this.#inTime(door, what, call));
      if (outcome) return outcome;
      await this.#sim.scheduler.sleep(this.life, this.#sim.random.between(100, 2_000));
    }
    return undefined;
  }

  async #inTime<T>(
    { life, doors }: Door,
    what: string,
    call: (doors: Doors) => Promise<Outcome<T>> | undefined,
  ): Promise<Outcome<T> | undefined> {
    const answered = call(doors)?.catch((error: unknown) => {
      this.#sim.tolerate(`${life.name} for a person`, error);
      return undefined;
    });
    const outcome = await Promise.race([
      answered,
      this.#sim.scheduler.sleep(this.life, TIMEOUT_MS).then(() => undefined),
    ]);
    this.#sim.note('people', `${what} at ${life.name}: ${outcome?.answer.outcome ?? 'no answer'}`);
    return outcome;
  }

  /** A command that a person gives, one way or the other. */
  async command(
    definition: MessageDefinition,
    data: unknown,
    { actor = 'alex', at = this.#sim.now(), overTopic = this.#sim.random.chance(0.3) } = {},
  ): Promise<void> {
    const message = this.#message(definition, data, actor, at);
    if (overTopic && definition.type !== ApproveRollout.type) {
      this.#sim.note('people', `${message.type} ${message.metadata.id} on ${message.topic}`);
      this.#bus.put([message]);
      return;
    }
    const { type, metadata } = message;
    const outcome = await this.ask<unknown>(`${type} ${metadata.id}`, (doors) =>
      carry(doors, message),
    );
    if (outcome)
      this.acknowledged.push({
        type,
        id: metadata.id,
        source: metadata.source,
        answer: outcome.answer,
      });
  }

  #message(
    definition: MessageDefinition,
    data: unknown,
    actor: string,
    at: number,
  ): OutgoingMessage {
    const id = this.#sim.ids.next();
    return {
      type: definition.type,
      topic: definition.topic,
      key: definition.key(data),
      data: definition.schema.parse(data),
      metadata: { id, source: `people:${actor}`, at, actor, correlationId: id },
    };
  }

  start(rollout: string, actor = 'alex', plan = PLAN) {
    return this.command(StartRollout, { rollout, environment: ENVIRONMENT, plan }, { actor });
  }

  rollBack(rollout: string) {
    return this.command(RollBack, { rollout, ...because });
  }

  resume(rollout: string) {
    return this.command(ResumeRollout, { rollout, ...because });
  }

  promote(rollout: string) {
    return this.command(PromoteRollout, { rollout, ...because });
  }

  approve(rollout: string, step: string) {
    return this.command(ApproveRollout, { rollout, step }, { actor: 'robin' });
  }

  /** A command that has been on its way for longer than it may. */
  stale() {
    const at = this.#sim.now() - 11 * 60_000;
    const old = { at, overTopic: true };
    return this.#sim.random.chance(0.5)
      ? this.command(PutFlag, { ...flag, definition: definitionWith(100_000), salt: 'other' }, old)
      : this.command(ResumeRollout, { rollout: ROLLOUT, ...because }, old);
  }

  breach(data: object) {
    const startsAt = this.#sim.now() - this.#sim.random.between(0, 60_000);
    const message = this.#message(
      ThresholdBreached,
      { environment: ENVIRONMENT, guard: 'pager', startsAt, message: 'It hurts.', ...data },
      'alertmanager',
      this.#sim.now(),
    );
    this.#bus.put(this.#sim.random.chance(0.3) ? [message, message] : [message]);
  }

  wish(what: string): Promise<void> | undefined {
    const { random } = this.#sim;
    const rollout = { rollout: ROLLOUT, ...because };
    const fingerprint = 'pager/1';
    switch (what) {
      case 'start':
        return this.start(ROLLOUT);
      case 'rival':
        return this.start(RIVAL, 'kim');
      case 'pause':
        return this.command(PauseRollout, rollout);
      case 'resume':
        return this.resume(ROLLOUT);
      case 'promote':
        return this.command(PromoteRollout, rollout);
      case 'rollback':
        return this.rollBack(ROLLOUT);
      case 'abort':
        return this.command(AbortRollout, rollout);
      case 'approve':
        return this.approve(ROLLOUT, 'review');
      case 'disable':
        return this.command(DisableFlag, { ...flag, ...because });
      case 'enable':
        return this.command(EnableFlag, { ...flag, ...because });
      case 'release':
        return this.command(ReleaseFlag, { ...flag, ...because });
      case 'edit':
        return this.#edit();
      case 'move':
        return this.#put(flag, definitionWith(random.pick([0, 2_000, 30_000])));
      case 'put-back':
        return this.command(RestoreFlag, {
          ...flag,
          definition: definitionWith(3_000),
          ...because,
        });
      case 'stop-run':
        return this.#ofRun(PauseMigration);
      case 'cancel-run':
        return this.#ofRun(CancelMigration);
      case 'make-side':
        return this.#put(side, definitionWith(1_000));
      case 'change-side':
        return this.#put(side, definitionWith(random.pick([0, 40_000])));
      case 'delete-side':
        return this.command(DeleteFlag, { ...side, ...because });
      case 'breach-of-rollout':
        this.breach({ rollout: random.pick([ROLLOUT, 'r-unknown']), fingerprint });
        return undefined;
      case 'breach-by-label':
        this.breach({ labels: { flag: FLAG }, fingerprint });
        return undefined;
      case 'breach-elsewhere':
        this.breach({ labels: { flag: SIDE }, fingerprint });
        return undefined;
      default:
        throw new TypeError(`Nobody knows how to ${what}.`);
    }
  }

  /** Who owns it moves nobody. */
  async #edit(): Promise<void> {
    const open = this.#doors().find(({ doors }) => doors.views);
    const flags = await open?.doors.views?.find(ENVIRONMENT);
    const present = flags?.get(FLAG)?.flag?.definition;
    if (present)
      await this.#put(flag, { ...present, owner: `team-${this.#sim.random.between(1, 9)}` });
  }

  #ofRun(definition: MessageDefinition): Promise<void> | undefined {
    const asked = this.#bus.published.findLast(({ type }) => type === 'RunMigration');
    if (!asked) return undefined;
    const { run } = asked.data as { run: string };
    return this.command(definition, { run, ...because }, { overTopic: true });
  }

  #put(ref: typeof flag, definition: FlagDefinition): Promise<void> {
    return this.command(PutFlag, { ...ref, definition, salt: `salt-${this.#sim.random.next()}` });
  }
}

const canAsk = (doors: Doors, what: string): boolean =>
  isAboutFlags(what.split(' ')[0] ?? '')
    ? doors.changeFlag !== undefined
    : doors.rollouts !== undefined;

const isAboutFlags = (type: string): boolean =>
  ['flag', 'segment', 'environment'].includes(definitionOf(type)?.wire.split('.')[1] ?? '');

function carry(doors: Doors, message: OutgoingMessage): Promise<Outcome<unknown>> | undefined {
  if (message.type.endsWith('Segment'))
    return doors.changeSegment?.(message as unknown as SegmentCommand);
  if (isAboutFlags(message.type)) return doors.changeFlag?.(message as unknown as FlagCommand);
  return message.type === 'StartRollout'
    ? doors.rollouts?.start(message as unknown as StartRollout)
    : doors.rollouts?.change(message as unknown as Exclude<RolloutCommand, StartRollout>);
}
