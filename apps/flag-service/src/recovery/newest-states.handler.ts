import type { Bus } from '@tidegate/bus';
import { type FlagRecord, type FlagState, stateTopic } from '@tidegate/contracts';
import { AppError, isNewer } from '@tidegate/kernel';

const READ_WITHIN_MS = 60_000;

/** The newest state of each flag in the environment's topic, by key; tombstones too. Thrown BUS_UNREACHABLE. */
export async function newestStates(
  bus: Pick<Bus, 'view'>,
  environment: string,
): Promise<readonly FlagRecord[]> {
  const newest = new Map<string, FlagRecord>();
  const view = await bus.view({
    topic: stateTopic(environment),
    apply: (key, message) => {
      const state = message as FlagState | undefined;
      const revision = state?.metadata.revision;
      if (!state || !revision) return;
      const held = newest.get(key);
      if (!held || isNewer(revision, held))
        newest.set(key, { key, ...revision, flag: state.data.flag });
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
  return [...newest.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

const tooLate = (environment: string): AppError =>
  new AppError(
    'BUS_UNREACHABLE',
    `The states of flags in ${environment} could not be read to their end within ${READ_WITHIN_MS / 1_000} s.`,
    { retryable: true },
  );
