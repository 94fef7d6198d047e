/**
 * Lets one through at a time, in order of arrival; the urgent wait for the urgent only, the others for everybody.
 * So who is inside when the process ends is known, but for an urgent one that came while another was inside.
 */
export class Turnstile {
  readonly #waiting = { urgent: [] as (() => void)[], others: [] as (() => void)[] };
  readonly #isInside = { urgent: false, others: false };

  /** Calls `go` once it is its turn; the next one's comes with `leave`. */
  enter(isUrgent: boolean, go: () => void): void {
    this.#waiting[isUrgent ? 'urgent' : 'others'].push(go);
    this.#admit();
  }

  leave(isUrgent: boolean): void {
    this.#isInside[isUrgent ? 'urgent' : 'others'] = false;
    this.#admit();
  }

  #admit(): void {
    if (!this.#isInside.urgent) this.#letIn('urgent');
    if (!this.#isInside.urgent && !this.#isInside.others) this.#letIn('others');
  }

  #letIn(kind: 'urgent' | 'others'): void {
    const next = this.#waiting[kind].shift();
    if (!next) return;
    this.#isInside[kind] = true;
    next();
  }
}
