import type { Flag } from '@tidegate/contracts';
import { compile } from '@tidegate/evaluation';
import { type Evidence, type FlagVersion, rolloutOf } from './evidence.ts';
import { Violation } from './sim.ts';

const broken = (what: string): never => {
  throw new Violation('P7', what);
};

const USERS = Array.from({ length: 40 }, (_, index) => `user-${index}`);

/** Promise 7: a larger percentage only adds users, and nothing else moves anyone. */
export function checkUsers(evidence: Evidence): void {
  for (const id of evidence.world.disk.documents.get('flags')?.keys() ?? []) {
    const versions = evidence.flag(id);
    for (const [index, version] of versions.entries()) {
      const former = versions[index - 1];
      if (former) onlyAsThePercentageSays(id, former, version);
    }
    for (const version of versions) backToBefore(id, version, versions);
  }
}

const exposedBy = new WeakMap<Flag, ReadonlySet<string>>();

/** Who is served the new code, of a disabled flag too, and whatever it refers to: by what is its own to say. */
function exposed(flag: Flag): ReadonlySet<string> {
  const known = exposedBy.get(flag);
  if (known) return known;
  const { disabled: _, ...enabled } = flag;
  const definition = { ...flag.definition, prerequisites: [], rules: [] };
  const alone = { ...enabled, definition };
  const evaluator = compile([{ key: 'flag', epoch: 1, version: 1, flag: alone }]);
  const found = new Set(
    USERS.filter((targetingKey) => evaluator.evaluate('flag', false, { targetingKey }).value),
  );
  exposedBy.set(flag, found);
  return found;
}

function onlyAsThePercentageSays(
  id: string,
  former: FlagVersion,
  { flag, version, event }: FlagVersion,
): void {
  const before = former.flag;
  if (!before || !flag) return;
  const [from, to] = [exposed(before), exposed(flag)];
  const [less, more] = [before, flag].map(({ definition }) => definition.exposure.percentage);
  const isWithin = (a: ReadonlySet<string>, b: ReadonlySet<string>) =>
    [...a].every((user) => b.has(user));
  const isRight =
    less === more
      ? isWithin(from, to) && isWithin(to, from)
      : Number(less) < Number(more)
        ? isWithin(from, to)
        : isWithin(to, from);
  if (!isRight) broken(`${id} moved others than it should in version ${version} (${event.type})`);
  const isStage = event.type === 'FlagChanged' && event.data.rollout !== undefined;
  if (isStage && !isWithin(from, to))
    broken(`${id}: a stage of ${event.data.rollout?.id} took users out in version ${version}`);
}

/** A rollback gives exactly the users of before. */
function backToBefore(
  id: string,
  { event, flag, version }: FlagVersion,
  versions: readonly FlagVersion[],
): void {
  if (event.type !== 'FlagRestored' || !event.data.rollout || !flag) return;
  const rollout = event.data.rollout.id;
  const held = versions.find(
    (each) => each.event.type === 'FlagHeld' && rolloutOf(each.event) === rollout,
  );
  if (!held?.flag) return broken(`${id} was restored for ${rollout}, which never held it`);
  const [now, before] = [exposed(flag), exposed(held.flag)];
  if (now.size !== before.size || ![...before].every((user) => now.has(user)))
    broken(
      `${id}: the rollback of ${rollout} in version ${version} did not give the users of before`,
    );
}
