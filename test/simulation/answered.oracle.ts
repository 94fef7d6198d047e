import { definitionOf, type OutgoingMessage } from '@tidegate/contracts';
import { canonicalJson } from '@tidegate/kernel';
import type { Evidence } from './evidence.ts';
import { Violation } from './sim.ts';

const broken = (what: string): never => {
  throw new Violation('P2', what);
};

const ANSWERS = [
  'FlagCommandAnswered',
  'SegmentCommandAnswered',
  'EnvironmentCommandAnswered',
  'RolloutCommandAnswered',
  'MigrationCommandAnswered',
];

interface AnswerData {
  readonly command: { readonly id: string; readonly source: string; readonly type: string };
  readonly outcome: string;
  readonly version: number;
  readonly code?: string;
}

const dataOf = ({ data }: OutgoingMessage) => data as AnswerData;
const nameOf = ({ id, source }: { id: string; source: string }) => `${source} ${id}`;

/** Promise 2: every command has one answer and at most one effect, and none that came too late has any. */
export function checkAnswered(evidence: Evidence): void {
  const answers = Map.groupBy(evidence.of(...ANSWERS), (message) =>
    nameOf(dataOf(message).command),
  );
  for (const [name, all] of answers) {
    const outcomes = new Set(
      all.map((each) => {
        const { outcome, version, code } = dataOf(each);
        return canonicalJson({ outcome, version, code });
      }),
    );
    if (outcomes.size > 1)
      broken(
        `${dataOf(all[0] as OutgoingMessage).command.type} ${name} is answered ${[...outcomes].join(' and ')}`,
      );
  }
  for (const command of evidence.commands()) {
    const { type, metadata } = command;
    const [answer] = answers.get(nameOf(metadata)) ?? [];
    if (answer) inTime(command, answer);
    else broken(`${type} ${metadata.id} of ${command.key} has no answer`);
  }
  acknowledgedIsKept(evidence, answers);
  oneEffect(evidence);
}

/** Acted on within its time, or refused as expired. */
function inTime({ type, metadata }: OutgoingMessage, answer: OutgoingMessage): void {
  const { code } = dataOf(answer);
  if (answer.metadata.source === 'bus') return;
  const ageMs = answer.metadata.at - metadata.at;
  const isLate = ageMs > (definitionOf(type)?.maxAgeMs ?? Infinity);
  if (isLate !== (code === 'COMMAND_EXPIRED'))
    broken(`${type} ${metadata.id} was answered after ${ageMs} ms with ${code ?? 'no refusal'}`);
}

function acknowledgedIsKept(
  { world }: Evidence,
  answers: ReadonlyMap<string, readonly OutgoingMessage[]>,
): void {
  for (const { type, id, source, answer } of world.people.acknowledged) {
    const [told] = answers.get(nameOf({ id, source })) ?? [];
    const isKept =
      told !== undefined &&
      dataOf(told).outcome === answer.outcome &&
      dataOf(told).version === answer.version;
    if (!isKept)
      broken(`${type} ${id} was acknowledged as ${answer.outcome}, and that is not told`);
  }
}

/** What one message causes in one document is one decision. */
function oneEffect({ world, messages }: Evidence): void {
  const effects = new Map<string, Set<number>>();
  for (const { metadata, type } of messages) {
    const { causationId, revision, id } = metadata;
    const origin = world.saved.get(id);
    const isFact = definitionOf(type)?.kind === 'event' && !ANSWERS.includes(type);
    if (!origin || causationId === undefined || !revision || !isFact) continue;
    const name = `${causationId} in ${origin.collection}/${origin.document}`;
    effects.set(name, (effects.get(name) ?? new Set()).add(revision.version));
  }
  for (const [name, versions] of effects)
    if (versions.size > 1) broken(`${name} made the versions ${[...versions].join(', ')}`);
}
