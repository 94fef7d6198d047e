import type {
  HoldFlag,
  HoldSegment,
  PauseMigration,
  ReleaseFlag,
  ReleaseSegment,
  RestoreFlag,
  ResumeMigration,
  RolloutEvent,
  RunMigration,
  SetExposure,
  ThresholdBreached,
} from '@tidegate/contracts';
import type { Draft } from '@tidegate/kernel';

type Of<M extends { type: string; data: unknown }> = M extends { type: infer T extends string }
  ? Draft<T, M['data']>
  : never;

/** What a rollout asks of others. */
export type Request =
  | Of<HoldFlag>
  | Of<HoldSegment>
  | Of<SetExposure>
  | Of<RestoreFlag>
  | Of<ReleaseFlag>
  | Of<ReleaseSegment>
  | Of<RunMigration>
  | Of<PauseMigration>
  | Of<ResumeMigration>;

/** All that a rollout decides. Each change of its state is one of these: there is none without its event. */
export type RolloutMessage = RolloutEvent | Of<ThresholdBreached> | Request;
