import {
  type FlagDefinition,
  type Message,
  type OutgoingMessage,
  referencesOf,
  type References,
  type RolloutRef,
} from '@tidegate/contracts';
import { canonicalJson } from '@tidegate/kernel';
import { segmentId } from '../../apps/flag-service/src/segment/segments.ts';
import { type Evidence, orderOf, rolloutOf, segmentKeyOf } from './evidence.ts';
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

/** One version of what is relied on. */
interface Version {
  readonly version: number;
  readonly event: Message;
  /** What decides whom it reaches; undefined once it is gone. */
  readonly reach: string | undefined;
  readonly isDisabled: boolean;
}

function versionsOf(evidence: Evidence, { kind, key }: Pick<Held, 'kind' | 'key'>): Version[] {
  const id = segmentId(ENVIRONMENT, key);
  if (kind === 'segment')
    return evidence.segment(segmentKeyOf(id)).map(({ version, event, segment }) => ({
      version,
      event,
      reach: segment ? reachOf(segment.definition) : undefined,
      isDisabled: false,
    }));
  return evidence.flag(id).map(({ version, event, flag }) => ({
    version,
    event,
    reach: flag ? reachOf(flag.definition) : undefined,
    isDisabled: flag?.disabled !== undefined,
  }));
}

/** The rest of a definition only describes it to people. */
const DESCRIBING: ReadonlySet<string> = new Set(['owner', 'description', 'tags', 'expiresAt']);
const reachOf = (definition: object): string =>
  canonicalJson(
    Object.fromEntries(Object.entries(definition).filter(([name]) => !DESCRIBING.has(name))),
  );

/** From being held for a rollout to being released, nothing but a kill concerns its users. */
function untouched(evidence: Evidence, held: OutgoingMessage): void {
  const id = rolloutOf(held) ?? '';
  const { key, revision } = held.data as Held;
  const versions = versionsOf(evidence, held.data as Held);
  const from = versions.findIndex(({ version }) => version === revision.version);
  const first = versions[from];
  if (!first?.event.type.endsWith('Held') || rolloutOf(first.event) !== id)
    return broken(`${id} relies on ${key} in version ${revision.version}, never held for it`);
  let { isDisabled } = first;
  for (const { event, reach, version, ...now } of versions.slice(from + 1)) {
    const what = `${key} in version ${version} (${event.type})`;
    if (event.type.endsWith('Released') && releases(event, id)) {
      const isOwn = event.metadata.actor.startsWith('rollout:');
      if (isOwn && !hasLetGo(evidence, id, held, event))
        broken(`${id} let go of ${what} although it relied on it`);
      if (!isOwn) hearsOf(evidence, held, event, 'released');
      return;
    }
    if (reach !== first.reach) broken(`${what} moved users under ${id}`);
    if (!isDisabled && now.isDisabled) hearsOf(evidence, held, event, 'disabled');
    if (isDisabled && !now.isDisabled) broken(`${what} was enabled under ${id}`);
    ({ isDisabled } = now);
  }
}

function releases({ data }: Message, id: string): boolean {
  const { rollout, rollouts = rollout ? [rollout] : [] } = data as {
    rollout?: RolloutRef;
    rollouts?: readonly RolloutRef[];
  };
  return rollouts.some((each) => each.id === id);
}

/** Longest until a rollout hears of it, but for what is away. */
const HEARD_MS = 60_000;
const ENDS = ['RollbackStarted', 'RolloutAborted', 'RolloutCompleted'];

/** Somebody's hand on what it relies on a rollout hears of, unless its end comes first. */
function hearsOf(
  evidence: Evidence,
  held: OutgoingMessage,
  { metadata: { at }, type }: Message,
  change: string,
): void {
  const id = rolloutOf(held) ?? '';
  const { kind, key } = held.data as Held;
  const awayMs = evidence.world.scenario.happenings.reduce((sum, { forMs }) => sum + forMs, 0);
  const own = (...types: string[]) =>
    evidence.of(...types).filter((each) => rolloutOf(each) === id);
  const isEnded = own(...ENDS).some(({ metadata }) => metadata.at <= at + HEARD_MS + awayMs);
  const knows = own('ReferenceObserved').some(({ data, metadata }) => {
    const said = data as Held & { change: string };
    return said.kind === kind && said.key === key && said.change === change && metadata.at >= at;
  });
  if (!isEnded && !knows) broken(`${id} never heard that ${key} was ${change} (${type})`);
}

/** It has ended, or heard anew to what its flag refers. */
function hasLetGo(
  evidence: Evidence,
  id: string,
  held: OutgoingMessage,
  released: Message,
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
  for (const [id, holders] of holdersOf(evidence))
    for (const { id: rollout } of holders)
      if (ENDED.has(status.get(rollout) ?? 'unknown') || !status.has(rollout))
        broken(`${id} stays held by ${rollout}, which is ${status.get(rollout) ?? 'unknown'}`);
}

function* holdersOf(evidence: Evidence): Generator<[string, readonly RolloutRef[]]> {
  const { documents } = evidence.world.disk;
  for (const id of documents.get('flags')?.keys() ?? []) {
    const flag = evidence.flag(id).at(-1)?.flag;
    yield [id, [...(flag?.hold ? [flag.hold.rollout] : []), ...(flag?.reliedOn ?? [])]];
  }
  for (const id of documents.get('segments')?.keys() ?? [])
    yield [id, evidence.segment(segmentKeyOf(id)).at(-1)?.segment?.reliedOn ?? []];
}
