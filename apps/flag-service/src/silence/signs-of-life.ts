/** When the newest check of each rollout was complete, of those that somebody has said. In ms since 1970. */
export class SignsOfLife {
  readonly #heard = new Map<string, number>();

  /** Whoever says it, the newest word counts. One from the future, by a clock that is ahead, is one from now. */
  hear(words: Readonly<Record<string, number>>, now: number): void {
    for (const [rollout, at] of Object.entries(words))
      if (at > (this.#heard.get(rollout) ?? -1)) this.#heard.set(rollout, Math.min(at, now));
  }

  heardAt(rollout: string): number | undefined {
    return this.#heard.get(rollout);
  }

  forgetBefore(at: number, needed: ReadonlySet<string>): void {
    for (const [rollout, heardAt] of this.#heard)
      if (heardAt < at && !needed.has(rollout)) this.#heard.delete(rollout);
  }

  all(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#heard);
  }
}
