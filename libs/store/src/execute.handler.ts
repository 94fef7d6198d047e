import {
  type Answer,
  type Clock,
  type Command,
  type Decision,
  type Draft,
  formatDuration,
  type Ids,
  isAppError,
  isRejection,
  reject,
} from '@tidegate/kernel';
import { answerTo, definitionOf, type Metadata, type OutgoingMessage } from '@tidegate/contracts';
import type { Document } from './documents.port.ts';
import type { Aggregate, Execute, Outcome } from './execute.port.ts';
import type { Faults } from './faults.port.ts';
import type { Outbox } from './outbox.handler.ts';
import { inOutboxOrder, stamp } from './stamp.ts';

export interface ExecuteOptions {
  readonly outbox: Outbox;
  readonly ids: Ids;
  readonly clock: Clock;
  /** Of the messages that are made. */
  readonly source: string;
  readonly faults: Faults;
  /** The W3C trace context of the moment. */
  readonly trace?: () => string | undefined;
}

const ATTEMPTS = 20;

interface Step<S> {
  readonly document: Document<S>;
  readonly answer: Answer;
  readonly repeated: boolean;
}

/** The write path of one service. Thrown what `Documents` throws, and STORE_FAILED for a draft of unknown type. */
export function createExecute(options: ExecuteOptions): Execute {
  const inTurn = turns();
  return async <S, C extends Command, M extends Draft>(
    aggregate: Aggregate<S, C, M>,
    id: string,
    command: C,
  ): Promise<Outcome<S>> => {
    const { documents } = aggregate;
    const { document, answer, repeated } = await inTurn(`${documents.name}/${id}`, () =>
      untilSaved(() => handle(options, aggregate, id, command)),
    );
    // Out of turn: a bus that hangs must not keep the next command, perhaps a kill, from being saved.
    const published = await options.outbox.flush(documents, id, document);
    const { state, epoch, version } = document;
    return { answer, state, epoch, version, repeated, published };
  };
}

async function untilSaved<T>(attempt: () => Promise<T>): Promise<T> {
  for (let count = 1; ; count += 1)
    try {
      return await attempt();
    } catch (error) {
      if (!isAppError(error, 'STORE_VERSION_CONFLICT') || count === ATTEMPTS) throw error;
    }
}

async function handle<S, C extends Command, M extends Draft>(
  options: ExecuteOptions,
  aggregate: Aggregate<S, C, M>,
  id: string,
  command: C,
): Promise<Step<S>> {
  const { documents, decider, ticks = [] } = aggregate;
  const document = (await documents.load(id)) ?? blank(id, decider.initial, documents.epoch);
  await options.faults.at('execute.loaded', `${documents.name}/${id}`);
  const answered = answerGiven(document, command);
  if (answered) return { document, answer: answered, repeated: true };

  const decision = expired(command, options.clock.now()) ?? decider.decide(command, document.state);
  const change = changeOf(options, aggregate, document, command, decision);
  const isTick = ticks.includes(command.type);
  if (isTick && change.outbox.length === 0)
    return { document, answer: change.answer, repeated: false };

  const { source, id: messageId } = command.metadata;
  const mark = isTick ? undefined : { source, id: messageId, answer: change.answer };
  const saved = await documents.save(id, { ...change, mark }, document.token);
  await options.faults.at('execute.saved', `${documents.name}/${id}`);
  return { document: saved, answer: change.answer, repeated: false };
}

const blank = <S>(id: string, state: S, epoch: number): Document<S> => ({
  id,
  epoch,
  version: 0,
  token: 0,
  state,
  handled: [],
  outbox: [],
});

const answerGiven = (document: Document<unknown>, { metadata }: Command): Answer | undefined =>
  document.handled.find(({ source, id }) => id === metadata.id && source === metadata.source)
    ?.answer;

/** Only commands expire: what an old event still means is for the rules to say. */
function expired({ type, metadata }: Command, now: number): Decision<never> | undefined {
  const definition = definitionOf(type);
  const age = now - metadata.at;
  if (definition?.kind !== 'command' || age <= (definition.maxAgeMs ?? Infinity)) return undefined;
  return reject(
    'COMMAND_EXPIRED',
    `${type} is ${formatDuration(age)} old; after ${formatDuration(definition.maxAgeMs ?? 0)} it would be wrong to act on it.`,
  );
}

interface Effect<S> {
  readonly state: S;
  readonly version: number;
  readonly outbox: readonly OutgoingMessage[];
  readonly answer: Answer;
}

function changeOf<S, C extends Command, M extends Draft>(
  options: ExecuteOptions,
  { decider, stateRecord }: Aggregate<S, C, M>,
  document: Document<S>,
  command: C,
  decision: Decision<M>,
): Effect<S> {
  const drafts = isRejection(decision) ? [] : decision;
  const isChange = drafts.some(({ type }) => definitionOf(type)?.kind === 'event');
  const version = document.version + (isChange ? 1 : 0);
  const answer: Answer = isRejection(decision)
    ? { outcome: 'refused', version, code: decision.code, message: decision.message }
    : { outcome: isChange ? 'changed' : 'unchanged', version };

  const metadata = stampOf(options, command, { epoch: document.epoch, version });
  const facts = drafts.map((draft) => ({ ...draft, metadata: metadata(draft.type) }));
  const state = facts.reduce((before, fact) => decider.evolve(before, fact), document.state);
  const messages = facts.map(({ metadata, ...draft }) => stamp(draft, metadata));
  for (const draft of [
    answerTo(command, answer),
    isChange ? stateRecord?.(document.id, state) : undefined,
  ])
    if (draft) messages.push(stamp(draft, metadata(draft.type)));
  return { state, version, outbox: inOutboxOrder(messages), answer };
}

/** The metadata of each message that one command causes. */
function stampOf(
  { ids, clock, source, trace }: ExecuteOptions,
  { metadata: { id: causationId, actor, correlationId } }: Command,
  revision: { epoch: number; version: number },
): (type: string) => Metadata {
  const at = clock.now();
  const traceparent = trace?.();
  return (type) => ({
    id: ids.next(),
    source,
    at,
    actor,
    correlationId,
    causationId,
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(definitionOf(type)?.kind === 'command' ? {} : { revision }),
  });
}

/** Runs work of one name one after another: writers in one process wait instead of conflicting. */
function turns(): <T>(name: string, work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return (name, work) => {
    const ahead = last.get(name) ?? Promise.resolve();
    const mine = ahead.then(work);
    const ended = mine.then(
      () => undefined,
      () => undefined, // told to whoever asked; the next one starts afresh
    );
    last.set(name, ended);
    void ended.then(() => {
      if (last.get(name) === ended) last.delete(name);
    });
    return mine;
  };
}
