import { STREAM_HEARTBEAT_MS } from '@tidegate/contracts';
import type { ServiceContext } from '@tidegate/platform';
import type { z } from 'zod';
import { Adoption } from './adoption/adoption.handler.ts';
import { openCounts } from './adoption/adoption.module.ts';
import type { Config } from './config.ts';
import { ofrepRoutes } from './evaluate/ofrep.http.ts';
import type { FlagMetrics } from './flag-metrics.prometheus.ts';
import { Instances } from './heartbeat/instances.handler.ts';
import * as token from './tokens.ts';
import { BEATS, FlagStreams } from './view/flag-streams.sse.ts';
import type { FlagViews } from './view/flag-views.handler.ts';

const COUNT_MS = 1_000;

interface Serving {
  readonly adoption: Adoption;
  readonly providers: readonly (readonly [symbol, unknown])[];
}

/** How applications get flags, and what is known of those that do. */
export async function openServing(
  context: ServiceContext,
  config: z.output<typeof Config>,
  views: FlagViews,
  metrics: FlagMetrics,
): Promise<Serving> {
  const adoption = await openAdoption(context, views);
  const defaultEnvironment = config.FLAG_SERVICE_DEFAULT_ENVIRONMENT;
  for (const route of ofrepRoutes({ views, adoption, defaultEnvironment })) context.route(route);
  const instances = new Instances(context, views, adoption);
  const heard = await instances.hearOthers(context.bus);
  context.onStop(() => heard.close());
  const streams = openStreams(context, metrics, config);
  context.loop('flag-service.heartbeats', STREAM_HEARTBEAT_MS / BEATS, async () =>
    streams.beat(context.clock.now()),
  );
  context.loop('flag-service.instances', STREAM_HEARTBEAT_MS, async () => instances.forgetSilent());
  const providers = [
    [token.ADOPTION, adoption],
    [token.INSTANCES, instances],
    [token.FLAG_STREAMS, streams],
  ] as const;
  return { adoption, providers };
}

/** What is counted is told every second, and once more at the end. */
async function openAdoption(context: ServiceContext, views: FlagViews): Promise<Adoption> {
  const adoption = new Adoption({ context, views, counts: await openCounts(context) });
  context.onStop(() => adoption.flush());
  context.loop('flag-service.adoption', COUNT_MS, () => adoption.flush());
  return adoption;
}

function openStreams(
  { log, stopping }: ServiceContext,
  metrics: FlagMetrics,
  {
    FLAG_SERVICE_STREAM_BUFFER_BYTES: bufferBytes,
    FLAG_SERVICE_MAX_STREAMS: maxStreams,
  }: z.output<typeof Config>,
): FlagStreams {
  const onSlowReader = () => {
    metrics.streamCut();
    log.warn('a stream was cut off: its reader does not keep up');
  };
  const onFull = () =>
    log.warn({ maxStreams }, 'there are as many streams as there may be: the others poll');
  const streams = new FlagStreams({ bufferBytes, maxStreams, onFull, onSlowReader });
  metrics.streams(() => streams.size);
  stopping.addEventListener('abort', () => streams.close());
  return streams;
}
