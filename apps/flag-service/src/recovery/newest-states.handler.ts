import type { Bus } from '@tidegate/bus';
import {
  type Flag,
  FlagState,
  type Message,
  type Segment,
  SegmentState,
  stateTopic,
} from '@tidegate/contracts';
import { AppError, isNewer } from '@tidegate/kernel';
import type { TopicState } from './standing.ts';

const READ_WITHIN_MS = 60_000;

/** The newest state of each flag and segment in the environment's topic, in order of key; tombstones too. */
export interface NewestStates {
  readonly flags: readonly TopicState<Flag>[];
  readonly segments: readonly TopicState<Segment>[];
}

/** Thrown BUS_UNREACHABLE. */
export async function newestStates(
  bus: Pick<Bus, 'view'>,
  environment: string,
): Promise<NewestStates> {
  const flags = new Map<string, TopicState<Flag>>();
  const segments = new Map<string, TopicState<Segment>>();
  const view = await bus.view({
    topic: stateTopic(environment),
    apply: (_key, message) => {
      const revision = message?.metadata.revision;
      if (!message || !revision) return;
      if (isFlag(message)) keepNewest(flags, { ...revision, ...about(message.data.flag, message) });
      if (isSegment(message))
        keepNewest(segments, { ...revision, ...about(message.data.segment, message) });
    },
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(tooLate(environment)), READ_WITHIN_MS);
  });
  try {
    await Promise.race([view.caughtUp, late]);
  } finally {
    clearTimeout(timer);
    await view.close();
  }
  return { flags: inOrder(flags), segments: inOrder(segments) };
}

const isFlag = (message: Message): message is FlagState => message.type === FlagState.type;
const isSegment = (message: Message): message is SegmentState => message.type === SegmentState.type;
const about = <V>(view: V | null, { data }: FlagState | SegmentState) => ({ key: data.key, view });

function keepNewest<V>(newest: Map<string, TopicState<V>>, state: TopicState<V>): void {
  const held = newest.get(state.key);
  if (!held || isNewer(state, held)) newest.set(state.key, state);
}

const inOrder = <V>(newest: ReadonlyMap<string, TopicState<V>>): readonly TopicState<V>[] =>
  [...newest.values()].sort((a, b) => (a.key < b.key ? -1 : 1));

const tooLate = (environment: string): AppError =>
  new AppError(
    'BUS_UNREACHABLE',
    `The states of flags in ${environment} could not be read to their end within ${READ_WITHIN_MS / 1_000} s.`,
    { retryable: true },
  );
