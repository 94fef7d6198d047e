import { createHash } from 'node:crypto';
import { type Plan, type PlanProblem, readPlan } from '@tidegate/contracts';
import { type Clock, type Ids, reject, type Rejection } from '@tidegate/kernel';
import type { Documents, Execute, Outcome } from '@tidegate/store';
import { newestOf, planDecider, type PlanVersion, type StoredPlan } from './stored-plan.ts';

/** A plan's version as people get it. */
export interface FoundVersion extends PlanVersion {
  readonly plan: string;
}

export type ReadPlan = { readonly plan: Plan } | { readonly problems: readonly PlanProblem[] };

export interface Plans {
  /** The plan of a text for this name, or every problem of it. */
  read(name: string, text: string): ReadPlan;
  /** Makes a version of a text that was read well, unless the newest has the same text. */
  put(
    name: string,
    text: string,
    by: { source: string; actor: string },
  ): Promise<Outcome<StoredPlan>>;
  /** Newest versions, in order of name, those after `after`. */
  list(page: { after?: string | undefined; limit: number }): Promise<readonly FoundVersion[]>;
  /** Oldest first, without texts; refused PLAN_UNKNOWN. */
  versions(name: string): Promise<readonly FoundVersion[] | Rejection>;
  /** The newest if no version is named; refused PLAN_UNKNOWN or PLAN_VERSION_UNKNOWN. */
  find(name: string, version?: number): Promise<FoundVersion | Rejection>;
}

export function createPlans(deps: {
  execute: Execute;
  documents: Documents<StoredPlan>;
  clock: Clock;
  ids: Ids;
}): Plans {
  const { execute, documents, clock, ids } = deps;
  const load = async (name: string) => (await documents.load(name))?.state ?? planDecider.initial;
  const unknown = (name: string) => reject('PLAN_UNKNOWN', `There is no plan ${name}.`);
  return {
    read,
    put(name, text, { source, actor }) {
      const id = ids.next();
      const metadata = { id, source, at: clock.now(), actor, correlationId: id };
      const data = { plan: name, text, hash: hashOf(text) };
      return execute({ documents, decider: planDecider }, name, {
        type: 'PutPlan',
        data,
        metadata,
      });
    },
    async list({ after, limit }) {
      const found = await documents.list({ where: { stored: true }, after, limit });
      return found.flatMap(({ id, state }) => {
        const newest = newestOf(state);
        return newest ? [withoutText(id, newest)] : [];
      });
    },
    async versions(name) {
      const stored = await load(name);
      if (stored.status === 'absent') return unknown(name);
      return stored.versions.map((version) => withoutText(name, version));
    },
    async find(name, version) {
      const stored = await load(name);
      if (stored.status === 'absent') return unknown(name);
      const found =
        version === undefined
          ? newestOf(stored)
          : stored.versions.find((each) => each.version === version);
      if (found) return { plan: name, ...found };
      return reject('PLAN_VERSION_UNKNOWN', `Plan ${name} has no version ${version}.`);
    },
  };
}

const hashOf = (text: string): string =>
  `sha256:${createHash('sha256').update(text, 'utf8').digest('hex')}`;

function withoutText(plan: string, { text: _text, ...version }: PlanVersion): FoundVersion {
  return { plan, ...version };
}

/** A plan is stored under the name it gives itself. */
function read(name: string, text: string): ReadPlan {
  const found = readPlan(text);
  if ('problems' in found || found.plan.plan === name) return found;
  const line = text.split('\n').findIndex((each) => /^\s*"?plan"?\s*:/.test(each)) + 1;
  const message = `the plan calls itself "${found.plan.plan}"; expected "${name}", as in the address`;
  return { problems: [{ line: Math.max(line, 1), column: 1, path: 'plan', message }] };
}
