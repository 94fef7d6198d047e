import type { ViewRecord } from '@tidegate/contracts';
import { idOf, idsMentionedBy } from './references.ts';

const NONE: ReadonlySet<string> = new Set();

/** Which flags and segments refer to which, both ways. */
export class Graph {
  readonly #referred = new Map<string, readonly string[]>();
  readonly #referring = new Map<string, Set<string>>();

  /** The record refers to what it says now, and to nothing else. */
  put(record: ViewRecord): void {
    const id = idOf(record);
    for (const old of this.#referred.get(id) ?? []) this.#referring.get(old)?.delete(id);
    const now = idsMentionedBy(record);
    if (now.length === 0) this.#referred.delete(id);
    else this.#referred.set(id, now);
    for (const each of now) {
      const known = this.#referring.get(each);
      if (known) known.add(id);
      else this.#referring.set(each, new Set([id]));
    }
  }

  referredBy(id: string): readonly string[] {
    return this.#referred.get(id) ?? [];
  }

  /** All that refer to it, directly or through others; in a cycle it is one of them itself. */
  referringTo(id: string): ReadonlySet<string> {
    if (!this.#referring.has(id)) return NONE;
    const found = new Set<string>();
    const left = [id];
    for (let each = left.pop(); each !== undefined; each = left.pop())
      for (const one of this.#referring.get(each) ?? [])
        if (!found.has(one)) {
          found.add(one);
          left.push(one);
        }
    return found;
  }
}
