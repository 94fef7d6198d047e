import { type DynamicModule, Module } from '@nestjs/common';
import type { ServiceContext } from '@tidegate/platform';
import type { Documents } from '@tidegate/store';
import type { z } from 'zod';
import { afterRecovery, openChanges, openFlags, openHistories } from './changes.module.ts';
import type { Config } from './config.ts';
import { EnvironmentConsumer } from './environment/environment.consumer.ts';
import { EnvironmentController } from './environment/environment.controller.ts';
import { DisableFlagsController } from './flag/disable-flags.controller.ts';
import { FlagCommandsController } from './flag/flag-commands.controller.ts';
import { AdoptionController } from './adoption/adoption.controller.ts';
import { flagMetrics } from './flag-metrics.prometheus.ts';
import { FlagConsumer } from './flag/flag.consumer.ts';
import { FlagController } from './flag/flag.controller.ts';
import type { ChangeFlag } from './flag/change-flag.handler.ts';
import { createSchedules } from './flag/run-schedules.handler.ts';
import type { StoredFlag } from './flag/stored-flag.ts';
import { HeartbeatController } from './heartbeat/heartbeat.controller.ts';
import { HistoryConsumer } from './history/history.consumer.ts';
import { HistoryController } from './history/history.controller.ts';
import { SegmentHistoryConsumer } from './history/segment-history.consumer.ts';
import { ImportController } from './import/import.controller.ts';
import { behind, Recovery } from './recovery/recovery.handler.ts';
import { createSegmentQueries } from './segment/segment-queries.handler.ts';
import { SegmentConsumer } from './segment/segment.consumer.ts';
import { SegmentController } from './segment/segment.controller.ts';
import { CloseSilent } from './silence/close-silent.handler.ts';
import { signsCollection } from './silence/shared-signs.handler.ts';
import { openServing } from './serving.module.ts';
import * as token from './tokens.ts';
import { FlagViews } from './view/flag-views.handler.ts';
import { ViewController } from './view/view.controller.ts';

const REFRESH_MS = 2_000;
const SILENCE_MS = 1_000;
const SCHEDULES_MS = 1_000;
const KILLS_WORK =
  'A flag that is turned off by hand is off at once for all who are connected here.';
const NO_KILLS =
  'Nobody can turn one off here until then, and no stage closes itself; what is left is a switch of the application itself.';

@Module({})
class FlagServiceModule {}

const controllers = [
  AdoptionController,
  EnvironmentController,
  DisableFlagsController,
  FlagController,
  FlagCommandsController,
  HistoryController,
  ViewController,
  HeartbeatController,
  ImportController,
  EnvironmentConsumer,
  FlagConsumer,
  HistoryConsumer,
  SegmentController,
  SegmentConsumer,
  SegmentHistoryConsumer,
];

/**
 * Reads every flag before it resolves, so that the service is ready with all of them. Only after an older
 * backup was put back it may begin without, and is unready until they are recovered. Thrown FLAG_STORE_BEHIND.
 */
export async function flagServiceModule(
  context: ServiceContext,
  config: z.output<typeof Config>,
): Promise<DynamicModule> {
  context.onPage(
    (missing) =>
      `Applications go on with the flags that they have. ${missing === 'bus' ? KILLS_WORK : NO_KILLS}`,
  );
  const written = openChanges(context, {
    saved: (flag) => views.saved(flag),
    savedSegment: (segment) => views.savedSegment(segment),
    countFlags: async (environment) => (await views.find(environment))?.keys().length ?? 0,
  });
  const { flags, segments, references } = written;
  const recovery = new Recovery({ context, ...written });
  const environments = behind(recovery, written.environments);
  const metrics = flagMetrics(context.registry);
  const onMistyped = metrics.mistyped;
  const views = new FlagViews({ context, flags, segments, environments, onMistyped });
  await startViews(context, recovery, views, config.FLAG_SERVICE_BUS_PATIENCE_MS);
  const { changeFlag, changeSegment } = afterRecovery(recovery, written);
  startDueWork(context, views, flags, changeFlag);
  const { history, segmentHistory } = openHistories(context);
  const { adoption, providers: serving } = await openServing(context, config, views, metrics);
  const flagParts = openFlags(context, config, {
    ...written,
    environments,
    changeFlag,
    lastAsked: adoption,
  });
  const given: readonly (readonly [symbol, unknown])[] = [
    [token.CHANGE_FLAG, changeFlag],
    [token.CHANGE_SEGMENT, changeSegment],
    [token.ENVIRONMENTS, environments],
    ...flagParts,
    ...serving,
    [token.FLAG_VIEWS, views],
    [token.HISTORY, history],
    [token.SEGMENT_HISTORY, segmentHistory],
    [token.SEGMENT_QUERIES, createSegmentQueries(segments, environments, references)],
  ];
  const providers = given.map(([provide, useValue]) => ({ provide, useValue }));
  return { module: FlagServiceModule, controllers, providers };
}

/** What the service does to flags by itself, however many replicas share it. */
function startDueWork(
  context: ServiceContext,
  views: FlagViews,
  flags: Documents<StoredFlag>,
  changeFlag: ChangeFlag,
): void {
  const signs = context.store.documents(signsCollection);
  const silence = new CloseSilent({ context, views, flags, signs, changeFlag });
  context.onStop(() => silence.stop());
  context.loop('flag-service.silence', SILENCE_MS, () => silence.round());
  const schedules = createSchedules({ context, flags, changeFlag });
  context.loop('flag-service.schedules', SCHEDULES_MS, () => schedules.round());
}

/** A bus that is away is waited for only where the store alone must not be served. */
async function startViews(
  context: ServiceContext,
  recovery: Recovery,
  views: FlagViews,
  patienceMs: number,
) {
  const begin = async (): Promise<void> => {
    if (await recovery.attempt()) await views.start(patienceMs);
  };
  const check = () => {
    recovery.check();
    return views.check();
  };
  context.onStop(() => views.close());
  await begin();
  context.health('views', check, { required: true });
  context.loop('flag-service.views', REFRESH_MS, () =>
    recovery.isDone ? views.refresh() : begin(),
  );
}
