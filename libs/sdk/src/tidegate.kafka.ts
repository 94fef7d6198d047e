import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { kafkaUrl, openKafkaBus } from '@tidegate/bus';
import { name } from '@tidegate/contracts';
import { AppError, isRejection } from '@tidegate/kernel';
import { bootstrapOf } from './bootstrap.file.ts';
import { TidegateClient } from './client.loop.ts';
import type { SdkErrorCode } from './errors.ts';
import { BusFlagSource } from './flag-source.bus.ts';
import type { TidegateOptions } from './options.ts';
import { reportTo } from './report.ts';
import type { Tidegate } from './tidegate.port.ts';

export interface KafkaTidegateOptions extends Pick<
  TidegateOptions,
  | 'environment'
  | 'application'
  | 'instance'
  | 'staleAfterMs'
  | 'notReadyAfterMs'
  | 'heartbeatEveryMs'
  | 'bootstrap'
  | 'onError'
> {
  /** `kafka://user:pass@host:9092,host:9092?tls=true&sasl=scram-sha-512&ca=<file>` */
  readonly url: string;
}

/**
 * The same client, fed from the state topic of one environment instead of flag-service's stream: for hosts that
 * already stand beside the brokers. What may be read there is the broker's to say. Rejects with SDK_OPTIONS_INVALID;
 * a broker that is away is waited for.
 */
export async function createKafkaTidegate(options: KafkaTidegateOptions): Promise<Tidegate> {
  const address = kafkaUrl(options.url);
  if (isRejection(address)) throw invalid(`url ${address.message}`);
  const environment = name.safeParse(options.environment);
  if (!environment.success)
    throw invalid(`environment ${environment.error.issues[0]?.message ?? ''}`);
  const instance = options.instance ?? `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
  const application = options.application ?? 'unnamed';
  const bus = await openKafkaBus({
    ...address,
    clientId: `tidegate-sdk-${application}`,
    clock: { now: Date.now },
    ids: { next: randomUUID },
    random: { next: Math.random },
    source: `sdk/${application}`,
  });
  const { bootstrap, notReadyAfterMs } = options;
  return new TidegateClient(
    options.staleAfterMs ?? 30_000,
    reportTo(options.onError),
    (sink) =>
      new BusFlagSource(
        {
          bus,
          environment: environment.data,
          application,
          instance,
          heartbeatEveryMs: options.heartbeatEveryMs ?? 5_000,
          newId: randomUUID,
          now: Date.now,
        },
        sink,
      ),
    {
      notReadyAfterMs,
      keep: bootstrap && { bootstrap: bootstrapOf(bootstrap), environment: environment.data },
    },
  );
}

const invalid = (problem: string): AppError<SdkErrorCode> =>
  new AppError('SDK_OPTIONS_INVALID', `Tidegate cannot be created: ${problem}.`);
