import {
  type FlagDefinition,
  type OutgoingMessage,
  referencesOf,
  type References,
} from '@tidegate/contracts';
import { canonicalJson } from '@tidegate/kernel';
import { type Evidence, type FlagVersion, orderOf, rolloutOf } from './evidence.ts';
import { ENVIRONMENT } from './scenario.ts';
import { Violation } from './sim.ts';

const broken = (what: string): never => {
  throw new Violation('P7', what);
};

/** Promise 7, of what a flag refers to: nobody is moved by it while a rollout relies on it, and it is let go again. */
export function checkRelied(evidence: Evidence): void {
  for (const held of evidence.of('ReferenceHeld')) untouched(evidence, held);
  for (const opening of evidence.of('SetExposure')) opensOnlyWhatItHolds(evidence, opening);
  nothingStaysHeld(evidence);
}

interface Held extends References {
  readonly kind: 'flag' | 'segment';
  readonly key: string;
  readonly revision: { readonly version: number };
}

/** From being held for a rollout to being released, nothing but a kill concerns its users. */
function untouched(evidence: Evidence, held: OutgoingMessage): void {
  const id = rolloutOf(held) ?? '';
  const { key, kind, revision } = held.data as Held;
  if (kind !== 'flag') return;
  const versions = evidence.flag(`${ENVIRONMENT}/${key}`);
  const from = versions.findIndex(({ version }) => version === revision.version);
  const first = versions[from];
  if (!first?.flag || first.event.type !== 'FlagHeld' || rolloutOf(first.event) !== id)
    return broken(
      `${id} relies on version ${revision.version} of ${key}, which was never held for it`,
    );
  const reach = reachOf(first.flag.definition);
  let isDisabled = first.flag.disabled !== undefined;
  for (const { event, flag, version } of versions.slice(from + 1)) {
    const what = `${key} in version ${version} (${event.type})`;
    if (event.type === 'FlagReleased' && releases(event, id)) {
      const isOwn = event.metadata.actor.startsWith('rollout:');
      if (isOwn && !hasLetGo(evidence, id, held, event))
        broken(`${id} let go of ${what} although it relied on it`);
      return;
    }
    if (!flag || reachOf(flag.definition) !== reach) broken(`${what} moved users under ${id}`);
    const isDisabledNow = flag?.disabled !== undefined;
    if (isDisabled && !isDisabledNow) broken(`${what} was enabled under ${id}`);
    isDisabled = isDisabledNow;
  }
}

/** What decides whom a definition reaches; the rest only describes it to people. */
function reachOf({ owner: _o, description: _d, tags: _t, expiresAt: _e, ...rest }: FlagDefinition) {
  return canonicalJson(rest);
}

function releases(
  event: Extract<FlagVersion['event'], { type: 'FlagReleased' }>,
  id: string,
): boolean {
  const { rollout, rollouts = [rollout] } = event.data;
  return rollouts.some((each) => each.id === id);
}

/** It has ended, or heard anew to what its flag refers. */
function hasLetGo(
  evidence: Evidence,
  id: string,
  held: OutgoingMessage,
  released: FlagVersion['event'],
): boolean {
  const reasons = [
    'RolloutAborted',
    'RolloutCompleted',
    'RolloutRolledBack',
    'FlagClaimed',
    'ReferenceHeld',
  ];
  return evidence
    .of(...reasons)
    .some(
      (each) =>
        rolloutOf(each) === id &&
        orderOf(each) > orderOf(held) &&
        orderOf(each) < orderOf(released),
    );
}

/** A stage opens only when all that its flag refers to is held, as the flag is. */
function opensOnlyWhatItHolds(evidence: Evidence, opening: OutgoingMessage): void {
  const id = rolloutOf(opening) ?? '';
  const { key } = opening.data as { key: string };
  const [own, held] = knownTo(evidence, id, orderOf(opening));
  const stored = evidence
    .flag(`${ENVIRONMENT}/${key}`)
    .findLast(({ event }) => orderOf(event) < orderOf(opening))?.flag;
  const isOwn = stored?.hold?.rollout.id === id;
  if (isOwn && canonicalJson(referencesOf(stored.definition)) !== canonicalJson(own))
    broken(`${id} opened a stage for references that ${key} does not have`);
  const reached = own ? namesIn(own) : [];
  for (const name of reached) {
    const known = held.get(name);
    if (!known) return broken(`${id} opened a stage without holding ${name}`);
    for (const next of namesIn(known)) if (!reached.includes(next)) reached.push(next);
  }
}

const namesIn = ({ flags, segments }: References): string[] => [
  ...flags.map((key) => `flag ${key}`),
  ...segments.map((key) => `segment ${key}`),
];

/** What a rollout had been told before a moment: what its flag refers to, and what is held for it. */
function knownTo(
  evidence: Evidence,
  id: string,
  before: number,
): readonly [References | undefined, ReadonlyMap<string, References>] {
  let own: References | undefined;
  const held = new Map<string, References>();
  const told = evidence
    .of('FlagClaimed', 'HoldFlag', 'HoldSegment', 'ReferenceHeld', 'ReferenceObserved')
    .filter((each) => rolloutOf(each) === id && orderOf(each) < before)
    .toSorted((a, b) => orderOf(a) - orderOf(b));
  for (const { type, data } of told) {
    const { kind, key, change } = data as Held & { change?: string };
    if (type === 'FlagClaimed')
      own = referencesOf((data as { definition: FlagDefinition }).definition);
    else if (type === 'ReferenceHeld') held.set(`${kind} ${key}`, data as Held);
    else if (type === 'HoldFlag') held.delete(`flag ${key}`);
    else if (type === 'HoldSegment') held.delete(`segment ${key}`);
    else if (change === 'released') held.delete(`${kind} ${key}`);
  }
  return [own, held];
}

const ENDED: ReadonlySet<string> = new Set(['completed', 'rolled-back', 'aborted']);

function nothingStaysHeld(evidence: Evidence): void {
  const status = new Map(evidence.world.rollouts().map((each) => [each.id, each.status]));
  for (const id of evidence.world.disk.documents.get('flags')?.keys() ?? []) {
    const flag = evidence.flag(id).at(-1)?.flag;
    const holders = [...(flag?.hold ? [flag.hold.rollout] : []), ...(flag?.reliedOn ?? [])];
    for (const { id: rollout } of holders)
      if (ENDED.has(status.get(rollout) ?? 'unknown') || !status.has(rollout))
        broken(`${id} stays held by ${rollout}, which is ${status.get(rollout) ?? 'unknown'}`);
  }
}
