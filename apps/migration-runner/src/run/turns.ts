/** Whose turn it is among runs that are due, when not all can be worked on at once. */
export interface Turns {
  /** Whoever has had none comes first, then whoever has waited longest. */
  inOrder(due: readonly string[]): readonly string[];
  took(run: string): void;
}

export function createTurns(): Turns {
  const last = new Map<string, number>();
  let turn = 0;
  return {
    inOrder(due) {
      const all = new Set(due);
      for (const run of last.keys()) if (!all.has(run)) last.delete(run);
      return due.toSorted((a, b) => (last.get(a) ?? 0) - (last.get(b) ?? 0));
    },
    took(run) {
      turn += 1;
      last.set(run, turn);
    },
  };
}
