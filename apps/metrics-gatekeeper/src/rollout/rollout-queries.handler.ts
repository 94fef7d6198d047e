import { type Clock, reject, type Rejection } from '@tidegate/kernel';
import type { Document, Documents, Index } from '@tidegate/store';
import type { StoredCheck } from '../check/stored-check.ts';
import { rolloutBody } from './rollout-body.ts';
import type { Existing, Rollout } from './state.ts';

export type RolloutBody = ReturnType<typeof rolloutBody>;

export interface RolloutQueries {
  /** Refused ROLLOUT_UNKNOWN. */
  load(id: string): Promise<Existing | Rejection>;
  /** Refused ROLLOUT_UNKNOWN. */
  find(id: string): Promise<RolloutBody | Rejection>;
  /** In order of id, those after `after`. */
  list(
    where: Index,
    page: { after?: string | undefined; limit: number },
  ): Promise<readonly RolloutBody[]>;
}

export function createRolloutQueries(deps: {
  rollouts: Documents<Rollout>;
  checks: Documents<StoredCheck>;
  clock: Clock;
}): RolloutQueries {
  const { rollouts, checks, clock } = deps;
  const bodyOf = async ({ id, state, epoch, version }: Document<Rollout>) => {
    const check = await checks.load(id);
    if (state.status === 'absent') return unknown(id);
    return rolloutBody(state, check?.state, { epoch, version }, clock.now());
  };
  return {
    async load(id) {
      const state = (await rollouts.load(id))?.state;
      return state && state.status !== 'absent' ? state : unknown(id);
    },
    async find(id) {
      const document = await rollouts.load(id);
      return document ? bodyOf(document) : unknown(id);
    },
    async list(where, { after, limit }) {
      const found = await rollouts.list({ where: { ...where, started: true }, after, limit });
      const bodies = await Promise.all(found.map(bodyOf));
      return bodies.filter((body): body is RolloutBody => !('rejected' in body));
    },
  };
}

const unknown = (id: string): Rejection => reject('ROLLOUT_UNKNOWN', `There is no rollout ${id}.`);
