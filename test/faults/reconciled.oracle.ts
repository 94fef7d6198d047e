import { type Archived, distinct, type PastChange } from './evidence.ts';

/** Something that changes version by version, as its service tells it. */
export interface Told {
  /** `flag checkout-v2`, `rollout r-1`. */
  readonly name: string;
  readonly version: number;
  /** What its events carry as subject. */
  readonly key: string;
  /** `version type` or `version type id` of each event that its service knows of. */
  readonly known: readonly string[];
}

export interface Evidence {
  /** As it stands there, repeats included. */
  readonly archive: readonly Archived[];
  readonly flags: readonly Told[];
  readonly rollouts: readonly Told[];
}

const COMMANDS: ReadonlySet<string> = new Set([
  'kills',
  'flag.commands',
  'rollout.commands',
  'migration.commands',
]);
const isAnswer = ({ type }: Archived): boolean => type.includes('command-answered');

/** What state and archive disagree about; nothing if every change was told exactly once, and nothing else was. */
export function disagreements({ archive, flags, rollouts }: Evidence): readonly string[] {
  const messages = distinct(archive);
  const told = messages.filter(({ version }) => Number.isInteger(version));
  const facts = told.filter((each) => !isAnswer(each));
  const flagFacts = facts.filter(({ topic }) => topic === 'flag.events');
  // A rollout's history has its answers as well.
  const rolloutFacts = told.filter(({ topic }) => ROLLOUTS.has(topic));
  return [
    ...recordedTwice(archive),
    ...flags.flatMap((flag) =>
      compared(
        flag,
        flagFacts.filter(({ key }) => key === flag.key),
        ({ version, type }) => `${version} ${type}`,
      ),
    ),
    ...rollouts.flatMap((rollout) =>
      compared(
        rollout,
        rolloutFacts.filter(({ data }) => data['rollout'] === rollout.key),
        ({ version, id }) => `${version} ${id}`,
      ),
    ),
    ...unanswered(messages),
    ...runsWithHoles(facts),
  ];
}

const ROLLOUTS: ReadonlySet<string> = new Set(['rollout.events', 'metric.breaches']);

function recordedTwice(archive: readonly Archived[]): string[] {
  const origins = Map.groupBy(archive, ({ origin }) => origin);
  return [...origins].flatMap(([origin, all]) =>
    all.length > 1 ? [`${origin} is in the archive ${all.length} times`] : [],
  );
}

function compared(
  { name, version, known }: Told,
  facts: readonly Archived[],
  nameOf: (fact: Archived) => string,
): string[] {
  const told = new Set(facts.map(nameOf));
  return [
    ...[...told].filter((each) => !known.includes(each)).map((each) => `${name}: extra ${each}`),
    ...known.filter((each) => !told.has(each)).map((each) => `${name}: missing ${each}`),
    ...holes(name, facts, version),
  ];
}

function holes(name: string, facts: readonly Archived[], last: number): string[] {
  const versions = new Set(facts.map((each) => each.version));
  const all = Array.from({ length: last }, (_, index) => index + 1);
  const missing = all.filter((version) => !versions.has(version));
  const beyond = [...versions].filter((version) => version > last);
  return [
    ...missing.map((version) => `${name}: version ${version} of ${last} was never told`),
    ...beyond.map((version) => `${name}: version ${version} was told and is not there`),
  ];
}

/** Every command has exactly one answer. */
function unanswered(messages: readonly Archived[]): string[] {
  const answers = Map.groupBy(messages.filter(isAnswer), ({ data }) => {
    const { source, id } = data['command'] as { source: string; id: string };
    return `${source} ${id}`;
  });
  return messages
    .filter(({ topic }) => COMMANDS.has(topic))
    .flatMap(({ type, source, id }) => {
      const count = answers.get(`${source} ${id}`)?.length ?? 0;
      return count === 1 ? [] : [`${type} ${id} of ${source} has ${count} answers`];
    });
}

/** The events of a migration run are its versions without a hole. */
function runsWithHoles(facts: readonly Archived[]): string[] {
  const runs = Map.groupBy(
    facts.filter(({ topic }) => topic === 'migration.events'),
    ({ key }) => key,
  );
  return [...runs].flatMap(([key, all]) =>
    holes(`run ${key}`, all, Math.max(...all.map(({ version }) => version))),
  );
}

/** @param history oldest first */
export const toldOfFlag = (
  key: string,
  version: number,
  history: readonly PastChange[],
  wireOf: (type: string) => string,
): Told => ({
  name: `flag ${key}`,
  version,
  key: `production/${key}`,
  known: history.map((change) => `${change.version} ${wireOf(change.type)}`),
});
