import { deepStrictEqual, strictEqual } from 'node:assert';
import { type Command, type Decider, type Draft, isRejection } from './decision.ts';

/** The test of a decider as a sentence: given(facts).when(command).then(messages). */
export function specification<S, C extends Command, M extends Draft>(decider: Decider<S, C, M>) {
  return (facts: readonly M[]) => ({
    when(command: C) {
      const state = facts.reduce(
        (before, draft, index) =>
          decider.evolve(before, {
            ...draft,
            metadata: { id: `given-${index}`, at: command.metadata.at },
          }),
        decider.initial,
      );
      const decision = decider.decide(command, state);
      return {
        state,
        decision,
        // oxlint-disable-next-line unicorn/no-thenable -- a sentence, not a promise: never awaited
        then(expected: readonly M[]): void {
          deepStrictEqual(decision, expected);
        },
        thenTypes(...types: M['type'][]): void {
          const found = isRejection(decision) ? decision : decision.map(({ type }) => type);
          deepStrictEqual(found, types);
        },
        thenRejected(code: string): void {
          strictEqual(isRejection(decision) ? decision.code : decision, code);
        },
      };
    },
  });
}
