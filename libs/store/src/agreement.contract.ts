import { expect } from '@jest/globals';
import fc from 'fast-check';
import { isAppError } from '@tidegate/kernel';
import type { OutgoingMessage } from '@tidegate/contracts';
import type { Collection } from './documents.port.ts';
import type { Store } from './store.port.ts';

interface Thing {
  readonly colour?: string | undefined;
  readonly dueAt?: number | undefined;
}

const id = fc.constantFrom('a', 'b', 'c', 'd');
const small = fc.nat({ max: 6 });
const colour = fc.constantFrom('red', 'green', undefined);
const messages = fc
  .array(fc.constantFrom('kills', 'flag.events', 'flag.commands'), { maxLength: 3 })
  .map((topics) =>
    topics.map((topic, n): OutgoingMessage => ({
      type: 'FlagDisabled',
      key: 'k',
      topic,
      data: n,
      metadata: { id: `m-${n}`, source: 's', at: 1, actor: 'a', correlationId: 'c' },
    })),
  );

type Step = (store: Store, things: Collection<Thing>) => Promise<unknown>;
const mark = { source: 's', id: 'c', answer: { outcome: 'unchanged', version: 1 } } as const;

const write: fc.Arbitrary<Step> = fc.oneof(
  fc
    .record({ id, token: small, colour, dueAt: fc.option(small, { nil: undefined }), messages })
    .map(({ id, token, colour, dueAt, messages: outbox }): Step => {
      const change = { state: { colour, dueAt }, version: token, mark, outbox };
      return (store, things) => store.documents(things).save(id, change, token);
    }),
  fc.tuple(id, fc.array(small, { maxLength: 4 })).map(
    ([id, seqs]): Step =>
      (store, things) =>
        store.documents(things).clear(id, seqs),
  ),
  fc.tuple(small, small, small).map(
    ([...due]): Step =>
      (store, things) =>
        store.documents(things).claimDue(...due),
  ),
  fc
    .array(fc.record({ id, version: small, key: fc.constantFrom('x', 'y', 'z'), at: small }))
    .map((entries): Step => {
      const records = entries.map((entry) => ({ ...entry, record: entry.at }));
      return (store, { name }) => store.projection(name).append(records);
    }),
);

const read: fc.Arbitrary<Step> = fc.oneof(
  id.map(
    (id): Step =>
      (store, things) =>
        store.documents(things).load(id),
  ),
  small.map(
    (limit): Step =>
      (store, things) =>
        store.documents(things).owing(limit),
  ),
  fc
    .record({ colour, after: fc.option(id, { nil: undefined }), limit: small })
    .map(({ colour, ...page }): Step => {
      const query = { where: { colour }, ...page };
      return (store, things) => store.documents(things).list(query);
    }),
  fc
    .tuple(id, fc.constantFrom('after', 'before'), small, small)
    .map(([id, end, version, limit]): Step => {
      const page = { [end]: version, limit: limit + 1 };
      return (store, { name }) => store.projection(name).read(id, page);
    }),
);

const outcomeOf = (result: PromiseSettledResult<unknown>): unknown => {
  if (result.status === 'fulfilled') return result.value;
  if (isAppError(result.reason)) return [result.reason.code, result.reason.message];
  throw result.reason;
};

type Run = (store: Store, steps: readonly Step[], things: Collection<Thing>) => Promise<unknown[]>;

/** Where calls take effect in the order in which they are made. */
export const atOnce: Run = async (store, steps, things) =>
  (await Promise.allSettled(steps.map((run) => run(store, things)))).map(outcomeOf);

export const oneByOne: Run = async (store, steps, things) => {
  const outcomes: unknown[] = [];
  for (const run of steps)
    for (const result of await Promise.allSettled([run(store, things)]))
      outcomes.push(outcomeOf(result));
  return outcomes;
};

/** Both are empty. Whatever is written and then read, they give the same answers. */
export async function agree(
  one: Store,
  other: Store,
  run: Run,
  { numRuns }: { numRuns: number },
): Promise<void> {
  let runs = 0;
  const turn = fc.tuple(fc.array(write, { maxLength: 4 }), fc.array(read, { maxLength: 4 }));
  await fc.assert(
    fc.asyncProperty(fc.array(turn, { maxLength: 25 }), async (turns) => {
      runs += 1;
      const name = `things-${runs}`;
      const things = { name, schemaVersion: 1, index: (thing: Thing) => ({ ...thing }) };
      for (const steps of turns.flat()) {
        const [mine, theirs] = await Promise.all([
          run(one, steps, things),
          run(other, steps, things),
        ]);
        expect(mine).toEqual(theirs);
      }
    }),
    { numRuns },
  );
}
