import type { ServiceContext } from '@tidegate/platform';
import type { GatekeeperMetrics } from '../gatekeeper-metrics.prometheus.ts';
import { behind } from './intake.ts';
import { SIGNALS_GROUP } from './signal.consumer.ts';
import type { Signals } from './signals.handler.ts';

const INTAKE_MS = 5_000;

/**
 * The same, and what becomes of signals stands in the metrics, what is not counted also in the log. That signals wait is
 * said to all replicas: silence is good news only as long as what is reported is counted.
 */
export function signalsOf(
  { bus, name, log, loop }: Pick<ServiceContext, 'bus' | 'name' | 'log' | 'loop'>,
  signals: Signals,
  metrics: Pick<GatekeeperMetrics, 'signalled'>,
): Signals {
  const group = `${name}.${SIGNALS_GROUP}`;
  loop('gatekeeper.signals', INTAKE_MS, async () => {
    const message = behind((await bus.lag()).filter((each) => each.group === group));
    if (message !== undefined) await signals.behind(message);
  });
  return {
    ...signals,
    async count(message) {
      const refusal = await signals.count(message);
      metrics.signalled(refusal ? 'refused' : 'counted');
      const { environment, signal } = message.data;
      const { code, message: why } = refusal ?? {};
      if (refusal) log.warn({ environment, signal, code, why }, 'a signal is not counted');
      return refusal;
    },
  };
}
