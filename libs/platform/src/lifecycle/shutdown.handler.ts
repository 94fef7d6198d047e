import { messageOf } from '@tidegate/kernel';

export interface Unfinished {
  readonly step: string;
  /** `too late`, or what it failed with. */
  readonly why: string;
}

/** The least that each step gets once the time is up: whoever comes last still has to close files. */
const LEAST_MS = 250;

/** What was opened, to be closed in the opposite order: whatever uses something is closed before it. */
export class Opened {
  readonly #steps: { name: string; close: () => Promise<void> | void }[] = [];

  add(name: string, close: () => Promise<void> | void): void {
    this.#steps.push({ name, close });
  }

  /** Closes all, whatever becomes of each, and returns what was not done in time. */
  async close(graceMs: number): Promise<readonly Unfinished[]> {
    const deadline = performance.now() + graceMs;
    const unfinished: Unfinished[] = [];
    for (const { name, close } of this.#steps.splice(0).reverse()) {
      const why = await within(Math.max(deadline - performance.now(), LEAST_MS), close);
      if (why !== undefined) unfinished.push({ step: name, why });
    }
    return unfinished;
  }
}

/** Why it was not done in time; undefined if it was. */
async function within(ms: number, close: () => Promise<void> | void): Promise<string | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<string>();
  const timer = setTimeout(resolve, ms, 'too late');
  const done = (async () => close())().then(
    () => undefined,
    (error: unknown) => messageOf(error),
  );
  const why = await Promise.race([done, late]);
  clearTimeout(timer);
  return why;
}
