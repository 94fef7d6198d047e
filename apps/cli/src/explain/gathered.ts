import { isRejection } from '@tidegate/kernel';
import { type Decision, decisionOf, type Told } from './decision.ts';

export interface Found {
  /** Oldest first. */
  readonly decisions: readonly Decision[];
  /** Events of the rollout, also those that rest on no verdict. */
  readonly events: number;
  /** Whether the rollout's first event was among them. */
  readonly isWhole: boolean;
  /** Records that are not as they were written, as sentences. */
  readonly problems: readonly string[];
}

/** Gathers what is found of one rollout. A message that was recorded twice counts once. */
export class Gathered {
  readonly #decisions: Decision[] = [];
  readonly #problems: string[] = [];
  readonly #seen = new Set<string>();
  #isWhole = false;

  get isWhole(): boolean {
    return this.#isWhole;
  }

  get found(): Found {
    return {
      decisions: this.#decisions.toSorted(inOrder),
      events: this.#seen.size,
      isWhole: this.#isWhole,
      problems: this.#problems,
    };
  }

  take(told: Told, record?: number): void {
    if (this.#seen.has(told.id)) return;
    this.#seen.add(told.id);
    if (told.type === 'RolloutStarted') this.#isWhole = true;
    const decision = decisionOf(told, record);
    if (isRejection(decision)) this.problem(decision.message);
    else if (decision) this.#decisions.push(decision);
  }

  problem(sentence: string): void {
    this.#problems.push(sentence);
  }
}

/** What was decided at once is in the order in which it was recorded. */
const inOrder = (a: Decision, b: Decision): number =>
  a.at - b.at || (a.record ?? 0) - (b.record ?? 0);
