import type { Plan } from '@tidegate/contracts';
import {
  readsOf,
  type RecordedRead,
  recordedReadsOf,
  type Recording,
  recordingOf,
  type StageEvidence,
  withRecording,
} from '@tidegate/gates';
import { type MetricsSource, type Reading, signalsEnvironment } from '@tidegate/metrics-source';
import { look } from '../rollout/look.ts';
import type { Existing } from '../rollout/state.ts';

/** What one check has read. */
export interface Read {
  readonly readings: readonly Reading[];
  /** The evidence before, with what was recorded before the rollout began, as far as that had to be read. */
  readonly known: StageEvidence | undefined;
}

/** So many instants of the past are asked for at once. */
const AT_ONCE = 4;

/** All that a check needs. Of a rollout that is being rolled back nothing is judged, and nothing read. */
export async function readFor(
  source: MetricsSource,
  rollout: Existing,
  before: StageEvidence | undefined,
  at: number,
): Promise<Read> {
  const { status, plan, environment, startedAt } = rollout;
  if (status === 'rolling-back') return { readings: [], known: before };
  const known = before ?? (await atStart(source, rollout));
  const overall = status === 'rolled-back' ? { overall: true as const } : {};
  const requests = readsOf(plan, environment, { guards: known.guards, ...overall });
  const [readings, recordings] = await Promise.all([
    source.read(requests, at),
    recordingsFor(source, plan, recordedReadsOf(plan, known, startedAt, at)),
  ]);
  return { readings, known: recordings.reduce(taking(plan, at), known) };
}

/**
 * What is known before the first check: signals tell when they were reported, so that those since the start count as
 * well, and what must still be recorded is recorded before anything opens.
 */
async function atStart(source: MetricsSource, rollout: Existing): Promise<StageEvidence> {
  const { plan, environment, startedAt } = rollout;
  const requests = readsOf(plan, environment).filter(
    ({ target }) => signalsEnvironment(target) !== undefined,
  );
  const readings = requests.length === 0 ? [] : await source.read(requests, startedAt);
  return look(rollout, undefined, readings, startedAt);
}

const taking =
  (plan: Plan, at: number) =>
  (evidence: StageEvidence, recording: Recording): StageEvidence =>
    withRecording(plan, evidence, recording, at);

const recordingsFor = (
  source: MetricsSource,
  plan: Plan,
  reads: readonly RecordedRead[],
): Promise<Recording[]> =>
  Promise.all(reads.map(async (read) => recordingOf(plan, read, await readPast(source, read))));

/** The readings of each instant, up to the first at which a target does not answer: then the others need no asking. */
export async function readPast(
  source: MetricsSource,
  { requests, instants }: RecordedRead,
): Promise<readonly (readonly Reading[])[]> {
  const past: (readonly Reading[])[] = [];
  for (let from = 0; from < instants.length; from += AT_ONCE) {
    const some = instants.slice(from, from + AT_ONCE);
    past.push(...(await Promise.all(some.map((at) => source.read(requests, at)))));
    if (past.flat().some(({ outcome }) => outcome === 'failed')) return past;
  }
  return past;
}
