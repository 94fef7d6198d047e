import { definitionOf, type FlagState, type MigrationEvent } from '@tidegate/contracts';
import { canonicalJson, type Fact } from '@tidegate/kernel';
import { viewOf } from '../../apps/flag-service/src/flag/stored-flag.ts';
import type { RolloutMessage } from '../../apps/metrics-gatekeeper/src/rollout/message.ts';
import { rolloutDecider } from '../../apps/metrics-gatekeeper/src/rollout/rollout.ts';
import { segmentDecider } from '../../apps/flag-service/src/segment/segment.ts';
import { evolveRun } from '../../apps/migration-runner/src/run/evolve-run.ts';
import { initialRun, type Run } from '../../apps/migration-runner/src/run/run.ts';
import { type Evidence, orderOf, rolloutOf, segmentKeyOf } from './evidence.ts';
import { Violation } from './sim.ts';

const broken = (what: string): never => {
  throw new Violation('P1', what);
};

/** Documents whose every change is told by events. */
const TOLD = ['flags', 'segments', 'environments', 'rollouts', 'plans', 'migration-runs'];

/** Promise 1: no change without its event; what stands in the topics is the whole story, and nothing else. */
export function checkRecorded(evidence: Evidence): void {
  nothingLostNothingInvented(evidence);
  everyVersionHasItsEvents(evidence);
  everyFlagIsWhatItsEventsSay(evidence);
  everySegmentIsWhatItsEventsSay(evidence);
  everyRolloutIsWhatItsMessagesSay(evidence);
  everyRunIsWhatItsEventsSay(evidence);
  if (evidence.world.scenario.keepsHistory) everyVersionIsInTheHistory(evidence);
}

function everyVersionIsInTheHistory({ world }: Evidence): void {
  for (const [collection, history] of HISTORIES) {
    const told = new Set(
      world.disk.entries.get(history)?.map(({ id, version }) => `${id} ${version % 2 ** 32}`),
    );
    for (const [id, { version }] of world.disk.documents.get(collection) ?? [])
      for (let each = 1; each <= version; each += 1)
        if (!told.has(`${id} ${each}`)) broken(`${history} lacks version ${each} of ${id}`);
  }
}

const HISTORIES = [
  ['flags', 'flag-history'],
  ['rollouts', 'rollout-history'],
] as const;

function nothingLostNothingInvented({ world, byId, messages }: Evidence): void {
  for (const [id, { collection, document }] of world.saved)
    if (!byId.has(id)) broken(`${id} of ${collection}/${document} was saved and never published`);
  for (const { metadata, type, topic, key } of messages) {
    const kind = definitionOf(type)?.kind ?? '';
    const isOwn = SERVICES.has(metadata.source) && !['state', 'heartbeat'].includes(kind);
    if (isOwn && !world.saved.has(metadata.id))
      broken(`${type} ${metadata.id} of ${key} on ${topic} was published and never saved`);
  }
}

const SERVICES: ReadonlySet<string> = new Set([
  'flag-service',
  'metrics-gatekeeper',
  'migration-runner',
]);

function everyVersionHasItsEvents({ world, messages }: Evidence): void {
  const causes = new Map<string, Set<string>>();
  for (const { metadata, type } of messages) {
    const { revision, id, causationId = '' } = metadata;
    const origin = world.saved.get(id);
    const isFact = definitionOf(type)?.kind === 'event' && !type.endsWith('CommandAnswered');
    if (!revision || !origin || !isFact) continue;
    const name = `${origin.collection}/${origin.document} ${revision.version}`;
    causes.set(name, (causes.get(name) ?? new Set()).add(causationId));
  }
  for (const collection of TOLD)
    for (const [id, { version }] of world.disk.documents.get(collection) ?? [])
      for (let each = 1; each <= version; each += 1) {
        const name = `${collection}/${id} ${each}`;
        const count = causes.get(name)?.size ?? 0;
        if (count !== 1) broken(`${name} comes from ${count} commands, as its events tell`);
        causes.delete(name);
      }
  for (const name of causes.keys())
    broken(`${name} has events, and there never was such a version`);
}

function everyFlagIsWhatItsEventsSay(evidence: Evidence): void {
  const states = Map.groupBy(evidence.of('FlagState'), (message) => {
    const { environment, key } = (message as unknown as FlagState).data;
    return `${environment}/${key} ${message.metadata.revision?.version}`;
  });
  for (const [id, stored] of evidence.world.disk.documents.get('flags') ?? []) {
    const versions = evidence.flag(id);
    for (const [index, { version, state }] of versions.entries()) {
      if (version !== index + 1) broken(`${id} has version ${version} as its change ${index + 1}`);
      const records = states.get(`${id} ${version}`) ?? [];
      if (records.length === 0) broken(`${id} ${version} has no FlagState`);
      for (const record of records)
        same(
          (record as unknown as FlagState).data.flag,
          viewOf(state),
          `FlagState of ${id} ${version}`,
        );
    }
    const last = versions.at(-1)?.state ?? { status: 'absent', version: 0 };
    same(JSON.parse(stored.state), last, id);
  }
}

function everySegmentIsWhatItsEventsSay(evidence: Evidence): void {
  for (const [id, stored] of evidence.world.disk.documents.get('segments') ?? []) {
    const last = evidence.segment(segmentKeyOf(id)).at(-1)?.state ?? segmentDecider.initial;
    same(JSON.parse(stored.state), last, `segment ${id}`);
  }
}

function everyRolloutIsWhatItsMessagesSay({ world, messages }: Evidence): void {
  const own = Map.groupBy(
    messages.filter(
      ({ metadata, type }) =>
        metadata.source === 'metrics-gatekeeper' && type !== 'RolloutCommandAnswered',
    ),
    rolloutOf,
  );
  for (const [id, stored] of world.disk.documents.get('rollouts') ?? []) {
    const facts = (own.get(id) ?? []).toSorted((a, b) => orderOf(a) - orderOf(b));
    const state = facts.reduce(
      (before, fact) => rolloutDecider.evolve(before, fact as unknown as Fact<RolloutMessage>),
      rolloutDecider.initial,
    );
    same(JSON.parse(stored.state), state, `rollout ${id}`);
  }
}

function everyRunIsWhatItsEventsSay({ world, messages }: Evidence): void {
  for (const [id, stored] of world.disk.documents.get('migration-runs') ?? []) {
    const facts = messages
      .filter(
        ({ topic, key, type }) =>
          topic === 'migration.events' && key === id && type !== 'MigrationCommandAnswered',
      )
      .toSorted((a, b) => orderOf(a) - orderOf(b));
    const state = facts.reduce<Run>(
      (before, fact) => evolveRun(before, fact as unknown as Fact<MigrationEvent>),
      initialRun,
    );
    same(JSON.parse(stored.state), state, `run ${id}`);
  }
}

/** As JSON: what is undefined is not there. */
function same(found: unknown, told: unknown, what: string): void {
  const [a, b] = [found, told].map((each) => canonicalJson(JSON.parse(JSON.stringify(each))));
  if (a !== b) broken(`${what} is ${a}, but was told as ${b}`);
}
