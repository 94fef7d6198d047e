import type { GatekeeperAlive } from '@tidegate/contracts';
import { messageOf } from '@tidegate/kernel';
import type { ServiceContext } from '@tidegate/platform';

export interface OutsideWatcherOptions {
  /** Often holds the key of the account: it is never logged. */
  readonly url: string;
  readonly timeoutMs: number;
  readonly log: Pick<ServiceContext['log'], 'warn'>;
  readonly onTold: (result: 'told' | 'failed') => void;
}

/** Somebody outside who pages when the calls stop: a dead man's switch that needs neither bus nor store of ours. */
export class OutsideWatcher {
  readonly #options: OutsideWatcherOptions;
  #underWay: Promise<void> | undefined;
  #isFailing = false;

  constructor(options: OutsideWatcherOptions) {
    this.#options = options;
  }

  /** Never rejects. A call that is still under way stands for the next one as well. */
  tell(beat: GatekeeperAlive['data']): Promise<void> {
    this.#underWay ??= this.#tell(beat).finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  async settled(): Promise<void> {
    await this.#underWay;
  }

  async #tell({ instance, running, lastCheckAt }: GatekeeperAlive['data']): Promise<void> {
    const { log, onTold } = this.#options;
    const reason = await this.#failureOf(JSON.stringify({ instance, running, lastCheckAt }));
    const isFailing = reason !== undefined;
    onTold(isFailing ? 'failed' : 'told');
    if (isFailing && !this.#isFailing)
      log.warn({ reason }, 'METRICS_GATEKEEPER_HEARTBEAT_URL does not take heartbeats');
    if (!isFailing && this.#isFailing)
      log.warn('METRICS_GATEKEEPER_HEARTBEAT_URL takes heartbeats again');
    this.#isFailing = isFailing;
  }

  /** Why it was not told; undefined if it was. A redirect is an answer of somebody else than who was asked. */
  async #failureOf(body: string): Promise<string | undefined> {
    const { url, timeoutMs } = this.#options;
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        redirect: 'manual',
        signal: AbortSignal.timeout(timeoutMs),
      });
      await response.body?.cancel();
      const { status } = response;
      if (response.ok) return undefined;
      return status >= 300 && status < 400
        ? `It answered ${status}: redirects are not followed.`
        : `It answered ${status}.`;
    } catch (error) {
      return messageOf(error instanceof Error && error.cause ? error.cause : error);
    }
  }
}
