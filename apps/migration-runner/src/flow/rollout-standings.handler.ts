import type { Projection } from '@tidegate/store';
import {
  heldSentence,
  type Standing,
  standingAfter,
  type StandingEvent,
} from './rollout-standing.ts';

export interface RolloutStandings {
  /** Safe to repeat. */
  note(event: StandingEvent): Promise<void>;
  /** Why a run of the rollout is to wait, in a sentence. */
  heldBy(rollout: string): Promise<string | undefined>;
}

/** In the store, since another replica may work on the run than the one that is told. */
export const createStandings = (standings: Projection<Standing>): RolloutStandings => ({
  async note(event) {
    const { rollout } = event.data;
    const version = versionOf(event);
    if (version === undefined) return; // nobody's state: not of metrics-gatekeeper
    const last = await standings.last(rollout);
    if (last !== undefined && last.version > version) return;
    const before = last?.record ?? {};
    const record = standingAfter(before, event);
    if (record.hold === before.hold && record.risk === before.risk) return;
    const { at } = event.metadata;
    await standings.append([{ id: rollout, version, key: `${version}/${event.type}`, at, record }]);
    await standings.forget(rollout, version - 1);
  },
  async heldBy(rollout) {
    return heldSentence(rollout, (await standings.last(rollout))?.record ?? {});
  },
});

/** One number that orders as (epoch, version) does. */
const versionOf = ({ metadata }: StandingEvent): number | undefined =>
  metadata.revision && metadata.revision.epoch * 2 ** 32 + metadata.revision.version;
