import { name, stateTopic } from '@tidegate/contracts';
import { AppError, isAppError, messageOf } from '@tidegate/kernel';
import type { ServiceContext } from '@tidegate/platform';
import { type Documents, restoresOf } from '@tidegate/store';
import type { Environments } from '../environment/environments.handler.ts';
import type { flagServiceErrorCodes } from '../errors.ts';
import type { ChangeFlag } from '../flag/change-flag.handler.ts';
import { flagId } from '../flag/flags.ts';
import type { StoredFlag } from '../flag/stored-flag.ts';
import type { ChangeSegment } from '../segment/change-segment.handler.ts';
import type { StoredSegment } from '../segment/stored-segment.ts';
import { newestStates } from './newest-states.handler.ts';
import { kindsOf } from './recovered-kinds.handler.ts';
import { type Epochs, standingOf, type TopicState } from './standing.ts';

export interface RecoveryParts {
  readonly context: Pick<ServiceContext, 'name' | 'bus' | 'clock' | 'store'> & {
    readonly log: Pick<ServiceContext['log'], 'warn'>;
  };
  readonly flags: Documents<StoredFlag>;
  readonly environments: Pick<Environments, 'has' | 'put'>;
  readonly changeFlag: ChangeFlag;
  readonly segments: Documents<StoredSegment>;
  readonly changeSegment: ChangeSegment;
}

const STATES = stateTopic('');
/** How long a command may wait for the recovery: less than a handler's deadline. */
const PATIENCE_MS = 10_000;

/**
 * After an older backup was put back, the state topics are a newer copy of the flags than the store. Before anything
 * is served or changed, what the store lost is taken over from them, as changes like any other. Several replicas may
 * do it at once: the mark that a command leaves in its flag's document keeps the second one from undoing what people
 * changed after the first.
 */
export class Recovery {
  readonly #parts: RecoveryParts;
  readonly #done = Promise.withResolvers<void>();
  #isDone = false;
  #why = 'It has not begun yet.';

  constructor(parts: RecoveryParts) {
    this.#parts = parts;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  /** Thrown FLAG_NOT_RECOVERED while the store may lack what everybody was served before. */
  check(): void {
    if (!this.#isDone) throw notRecovered(this.#why);
  }

  /** Resolves when the recovery is done. Thrown FLAG_NOT_RECOVERED when that takes too long. */
  async passed(): Promise<void> {
    if (this.#isDone) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => (timer = setTimeout(resolve, PATIENCE_MS)));
    await Promise.race([this.#done.promise, late]);
    clearTimeout(timer);
    this.check();
  }

  /** True once everything is recovered; false while the bus does not answer. Thrown FLAG_STORE_BEHIND, and the store's codes. */
  async attempt(): Promise<boolean> {
    try {
      await this.#recover();
    } catch (error) {
      this.#why = messageOf(error);
      if (!isAppError(error, 'BUS_UNREACHABLE')) throw error;
      this.#parts.context.log.warn(
        { err: error },
        'an older backup of the store was put back, and the bus, which has the newer states, does not answer: nothing is served',
      );
      return false;
    }
    this.#isDone = true;
    this.#done.resolve();
    return true;
  }

  async #recover(): Promise<void> {
    const { bus, log, name: service, store } = this.#parts.context;
    const restores = restoresOf(store, service);
    const since = await restores.unsettledSince();
    if (since === undefined) return;
    const epochs = { since, epoch: store.epoch };
    const topics = (await bus.topics()).filter((topic) => topic.startsWith(STATES));
    let recovered = 0;
    for (const topic of topics.toSorted()) {
      const environment = topic.slice(STATES.length);
      if (name.safeParse(environment).success)
        recovered += await this.#environment(environment, epochs);
    }
    await restores.settle();
    log.warn(
      { ...epochs, recovered },
      'an older backup of the store was put back: flags recovered',
    );
  }

  async #environment(environment: string, epochs: Epochs): Promise<number> {
    const { context, environments } = this.#parts;
    const states = await newestStates(context.bus, environment);
    if (!(await environments.has(environment)))
      await environments.put({
        type: 'PutEnvironment',
        key: environment,
        data: { environment },
        metadata: this.#metadata(epochs, environment),
      });
    let recovered = 0;
    for (const kind of kindsOf(this.#parts, states))
      for (const state of kind.states) {
        const { key } = state;
        const held = await kind.held(flagId(environment, key));
        const standing = standingOf(state, held, epochs);
        if (standing === 'foreign') await this.#refuse(kind.noun, environment, state);
        if (standing !== 'lost') continue;
        const metadata = this.#metadata(epochs, kind.idOf(environment, key));
        const outcome = await kind.take(environment, state, metadata);
        if (outcome.repeated || outcome.answer.outcome !== 'changed') continue;
        recovered += 1;
        const { epoch, version } = state;
        context.log.warn(
          { environment, [kind.noun]: key, from: { epoch, version }, ...outcome.shown },
          `a ${kind.noun} was recovered from the state topic`,
        );
      }
    return recovered;
  }

  /** Of another replica that is done, and goes on already, such a state is nothing strange. */
  async #refuse(
    noun: string,
    environment: string,
    { key, epoch }: TopicState<unknown>,
  ): Promise<void> {
    const { name: service, store } = this.#parts.context;
    if ((await restoresOf(store, service).unsettledSince()) === undefined) return;
    throw new AppError<(typeof flagServiceErrorCodes)[number]>(
      'FLAG_STORE_BEHIND',
      `The bus has ${noun} ${key} in ${environment} from an epoch ${epoch} that this store never had: its epoch was ` +
        'raised before, for another backup. Stop every service, run "tidegate store restored" once more, and start again.',
      { data: { environment, key } },
    );
  }

  /** The same each time, so that what is recovered twice is recovered once. */
  #metadata({ epoch }: Epochs, what: string) {
    const { clock, name: source } = this.#parts.context;
    const id = `recover/${epoch}/${what}`;
    return { id, source, at: clock.now(), actor: source, correlationId: id };
  }
}

const notRecovered = (why: string): AppError<(typeof flagServiceErrorCodes)[number]> =>
  new AppError(
    'FLAG_NOT_RECOVERED',
    'An older backup of the store was put back. Newer states of its flags are on the bus; nothing is served or changed ' +
      `before they are taken over. ${why}`,
    { retryable: true },
  );

/** The environments, for everybody who must not see them before they are recovered. */
export function behind(
  recovery: Pick<Recovery, 'check'>,
  environments: Environments,
): Environments {
  const opened = async (): Promise<Environments> => {
    recovery.check();
    return environments;
  };
  return {
    put: async (command) => (await opened()).put(command),
    has: async (environment) => (await opened()).has(environment),
    find: async (environment) => (await opened()).find(environment),
    list: async (page) => (await opened()).list(page),
  };
}
