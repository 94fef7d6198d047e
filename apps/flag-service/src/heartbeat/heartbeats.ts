import type { FlagRecord, SdkHeartbeat } from '@tidegate/contracts';
import { isNewer, type Revision } from '@tidegate/kernel';

/** Not heard for so long, an instance counts as gone: it blocks nothing. */
export const SILENT_AFTER_MS = 30_000;

interface Heard {
  readonly beat: SdkHeartbeat;
  /** ms since 1970 */
  readonly at: number;
}

interface AppliedInstance {
  readonly application: string;
  readonly instance: string;
  /** Of the flag, as the instance last said; null if it did not name the flag. */
  readonly version: number | null;
  /** When the instance applied it, ms since 1970, by its clock. */
  readonly at: number | null;
  /** Time since it was last heard. */
  readonly ageMs: number;
}

/** An instance that has an older version of the flag in force. */
interface LaggingInstance extends Pick<AppliedInstance, 'application' | 'instance' | 'ageMs'> {
  readonly version: number;
  /** Since then, or longer: when the flag came to its present version, ms since 1970; null if nobody knows. */
  readonly since: number | null;
}

/** "live on 41 of 41 instances (heard within 30 s), slowest 340 ms" */
export interface Applied {
  readonly epoch: number;
  readonly version: number;
  readonly instances: readonly AppliedInstance[];
  /** How many have this version or a newer one. */
  readonly live: number;
  readonly heard: number;
  /** Who has an older version, the longest silent first. Who does not name the flag is not among them. */
  readonly behind: readonly LaggingInstance[];
  /** From the change until the last of the live had applied it; null if none is live or nobody knows when it changed. */
  readonly slowestMs: number | null;
}

/** Which instances of applications are alive in one environment, and what they have applied. In memory only. */
export class Heartbeats {
  readonly #heard = new Map<string, Heard>();

  /**
   * An older word does not replace a newer one. One from the future, by a clock that is ahead, is one from now, and is
   * no reason to pass over what comes after this clock was put back.
   * @param said when the instance said it, ms since 1970
   */
  hear(beat: SdkHeartbeat, said: number, now = said): void {
    const id = JSON.stringify([beat.application, beat.instance]);
    const at = Math.min(said, now);
    const last = this.#heard.get(id);
    if (!last || at >= last.at || last.at > now) this.#heard.set(id, { beat, at });
  }

  forget(now: number): void {
    for (const [id, { at }] of this.#heard)
      if (Math.abs(now - at) > SILENT_AFTER_MS) this.#heard.delete(id);
  }

  /**
   * @param changedAt when the flag came to its present version, ms since 1970
   * @param digest of all that this replica holds: who has the same has the flag's present version
   */
  applied(flag: FlagRecord, changedAt: number | undefined, now: number, digest?: string): Applied {
    this.forget(now);
    const { epoch, version } = flag;
    const instances: AppliedInstance[] = [];
    const behind: LaggingInstance[] = [];
    const delays: number[] = [];
    let live = 0;
    for (const { beat, at } of this.#heard.values()) {
      const has = heldBy(beat, flag, digest);
      const { application, instance } = beat;
      const who = { application, instance, ageMs: Math.max(0, now - at) };
      instances.push({ ...who, version: has?.version ?? null, at: has?.at ?? null });
      if (!has) continue;
      if (isNewer(flag, has)) {
        behind.push({ ...who, version: has.version, since: changedAt ?? null });
        continue;
      }
      live += 1;
      if (changedAt !== undefined && has.at !== undefined && !isNewer(has, flag))
        delays.push(Math.max(0, has.at - changedAt));
    }
    const slowestMs = delays.length > 0 ? Math.max(...delays) : null;
    behind.sort((a, b) => b.ageMs - a.ageMs);
    return { epoch, version, instances, live, heard: instances.length, behind, slowestMs };
  }
}

/** What the instance has of the flag, as far as it tells; `at` by its clock, if it names the flag. */
function heldBy(
  { applied, digest }: SdkHeartbeat,
  { key, epoch, version }: FlagRecord,
  ours: string | undefined,
): (Revision & { readonly at?: number }) | undefined {
  if (Object.hasOwn(applied, key)) return applied[key];
  return digest !== undefined && digest === ours ? { epoch, version } : undefined;
}
