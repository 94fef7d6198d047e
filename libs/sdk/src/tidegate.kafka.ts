import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { kafkaUrl, openKafkaBus } from '@tidegate/bus';
import { isRejection } from '@tidegate/kernel';
import { bootstrapOf } from './bootstrap.file.ts';
import { TidegateClient } from './client.loop.ts';
import { BusFlagSource } from './flag-source.bus.ts';
import {
  COMMON_DEFAULTS,
  commonProblems,
  given,
  invalid,
  type TidegateOptions,
} from './options.ts';
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
  const ownInstance = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
  const settings = { ...COMMON_DEFAULTS, instance: ownInstance, ...given(options) };
  const problems = commonProblems(settings);
  if (isRejection(address)) throw invalid([`url ${address.message}`, ...problems]);
  if (problems.length > 0) throw invalid(problems);
  const { environment, application, instance, heartbeatEveryMs } = settings;
  const bus = await openKafkaBus({
    ...address,
    clientId: `tidegate-sdk-${application}`,
    clock: { now: Date.now },
    ids: { next: randomUUID },
    random: { next: Math.random },
    source: `sdk/${application}`,
  });
  const { bootstrap, notReadyAfterMs } = settings;
  const told = { environment, application, instance, heartbeatEveryMs };
  return new TidegateClient(
    settings.staleAfterMs,
    reportTo(settings.onError),
    (sink) => new BusFlagSource({ bus, ...told, newId: randomUUID, now: Date.now }, sink),
    { notReadyAfterMs, keep: bootstrap && { bootstrap: bootstrapOf(bootstrap), environment } },
  );
}
