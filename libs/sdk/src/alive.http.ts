import { AppError, causeOf } from '@tidegate/kernel';
import type { SdkHeartbeat } from '@tidegate/contracts';
import type { FlagSink } from './flag-source.port.ts';
import type { Settings } from './options.ts';
import { isRefusal } from './request.http.ts';

const REQUEST_TIMEOUT_MS = 5_000;
/** Between two reports while the server refuses them: that lasts until a person acts. */
const REFUSED_EVERY_MS = 60_000;
/** How a connection fails that never was one. */
const UNSENT: ReadonlySet<string> = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'UND_ERR_CONNECT_TIMEOUT',
]);

type Told = Pick<FlagSink, 'digest' | 'applied' | 'takeUse' | 'giveBackUse' | 'failed'>;

/**
 * Tells flag-service what this instance has applied and evaluated: every `heartbeatEveryMs`, and at once when asked.
 * One request at a time; what is asked meanwhile is told in one more. Failures are reported when they begin.
 */
export class AliveReports {
  readonly #settings: Settings;
  readonly #told: Told;
  #isClosed = false;
  #request: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  #askedAgain = false;
  #isFailing = false;
  #isRefused = false;

  constructor(settings: Settings, told: Told) {
    this.#settings = settings;
    this.#told = told;
  }

  tell(): void {
    if (this.#isClosed) return;
    if (this.#sending) {
      this.#askedAgain = true;
      return;
    }
    this.#sending = this.#send().finally(() => {
      this.#sending = undefined;
      if (this.#askedAgain) this.tell();
      else this.#tellLater();
    });
    this.#askedAgain = false;
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#isClosed = true;
    this.#request?.abort();
    await this.#sending;
  }

  /** Within a tenth of the interval, so that instances which started together drift apart. */
  #tellLater(): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    const { heartbeatEveryMs } = this.#settings;
    const everyMs = Math.max(heartbeatEveryMs, this.#isRefused ? REFUSED_EVERY_MS : 0);
    const waitMs = everyMs * (0.9 + Math.random() / 5);
    this.#timer = setTimeout(() => {
      this.tell();
    }, waitMs).unref();
  }

  async #send(): Promise<void> {
    const { application, instance } = this.#settings;
    const use = this.#told.takeUse();
    const { digest } = this.#told;
    const applied = this.#told.applied();
    const told = digest === undefined ? {} : { digest };
    const body: SdkHeartbeat = { application, instance, applied, ...told, ...use };
    try {
      const response = await this.#post(body);
      this.#isRefused = isRefusal(response.status);
      if (isNotCounted(response)) this.#told.giveBackUse(use);
      if (!response.ok) throw new Error(`status ${response.status}`);
      this.#isFailing = false;
    } catch (error) {
      if (isUnsent(error)) this.#told.giveBackUse(use);
      this.#reportOnce(error);
    }
  }

  async #post(body: SdkHeartbeat): Promise<Response> {
    const { url, environment, key } = this.#settings;
    const request = new AbortController();
    this.#request = request;
    const timer = setTimeout(() => {
      request.abort(new Error(`no answer within ${REQUEST_TIMEOUT_MS} ms`));
    }, REQUEST_TIMEOUT_MS).unref();
    try {
      const response = await fetch(`${url}/v1/environments/${environment}/heartbeats`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: request.signal,
      });
      await response.body?.cancel();
      return response;
    } finally {
      clearTimeout(timer);
    }
  }

  #reportOnce(cause: unknown): void {
    if (this.#isFailing || this.#isClosed) return;
    this.#isFailing = true;
    this.#told.failed(
      new AppError(
        'SDK_HEARTBEAT_FAILED',
        `flag-service did not take what this instance has applied: ${causeOf(cause)}`,
        { retryable: true, cause },
      ),
    );
  }
}

/** It may be taken later. What a server refuses otherwise it would refuse again. */
const isNotCounted = ({ status }: Response): boolean => status === 429 || status >= 500;

/** Nobody was reached. A request that was sent and not answered may have been counted: better too little than twice. */
function isUnsent(error: unknown): boolean {
  const { cause } = error as { readonly cause?: NodeJS.ErrnoException };
  return UNSENT.has(cause?.code ?? '');
}
