import {
  type CanActivate,
  type ExecutionContext,
  Inject,
  mixin,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { AppError, messageOf } from '@tidegate/kernel';
import type { SdkErrorCode } from '../errors.ts';
import type { Mode, Tidegate } from '../tidegate.port.ts';
import { deprecationHeaders, type DeprecationOptions } from './deprecation.ts';
import {
  endpointOf,
  type HttpReply,
  type HttpRequest,
  isHttp,
  type RawReply,
  requestOf,
} from './http-request.ts';
import { InjectFlags, REQUESTS, type Requests } from './inject.ts';
import type { ModeMetrics, ModeOutcome } from './mode-metrics.port.ts';
import { problem } from './problem.nest.ts';

/** One rule that a request does not keep. */
export interface Violation {
  /** Where, as a JSON Pointer: `#/items/0/stage`. */
  readonly pointer?: string;
  /** What was expected. */
  readonly detail: string;
}

export interface ModeGuardOptions extends DeprecationOptions {
  /** What is wrong with a request, nothing if it keeps the rules. Not called while the mode is off. */
  validate(request: HttpRequest): readonly Violation[] | Promise<readonly Violation[]>;
  /** The mode while the flag cannot be evaluated. Default `off`. */
  readonly fallback?: Mode;
  /** Default: the module's. */
  readonly metrics?: ModeMetrics;
}

const MOST_NAMED = 100;

/**
 * Brings in a validation by the mode flag `key`, which may answer by endpoint and by who asks. `off`: nothing is
 * validated. `warn`: what violates the rules passes, is counted, and its answer says that the old form is
 * deprecated. `enforce`: it is refused with 422, naming the violations.
 *
 * A validator that throws lets the request pass, in every mode: a bug of the new validation must not take
 * the service down. It is counted as `validator-failed` and reported to `onError`.
 */
export const ModeGuard = (
  key: string,
  options: ModeGuardOptions,
): ClassDecorator & MethodDecorator => UseGuards(modeGuard(key, options));

/** The guard itself, for `@UseGuards`, or as APP_GUARD for every HTTP route. Messages and GraphQL queries pass it. */
export function modeGuard(key: string, options: ModeGuardOptions): Type<CanActivate> {
  class Guard extends ModeGuardOf {
    constructor(@InjectFlags() flags: Tidegate, @Inject(REQUESTS) requests: Requests) {
      super(key, options, flags, requests);
    }
  }
  return mixin(Guard);
}

class ModeGuardOf implements CanActivate {
  readonly #key: string;
  readonly #options: ModeGuardOptions;
  readonly #flags: Tidegate;
  readonly #requests: Requests;
  readonly #metrics: ModeMetrics | undefined;
  readonly #headers: readonly (readonly [string, string])[];

  constructor(key: string, options: ModeGuardOptions, flags: Tidegate, requests: Requests) {
    this.#key = key;
    this.#options = options;
    this.#flags = flags;
    this.#requests = requests;
    this.#metrics = options.metrics ?? requests.modeMetrics;
    this.#headers = deprecationHeaders(options);
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (!isHttp(context)) return true;
    const startedAt = performance.now();
    const request = requestOf(context);
    const endpoint = endpointOf(request);
    const { fallback = 'off' } = this.#options;
    const mode = this.#flags.mode(this.#key, fallback, this.#requests.contexts.of(context));
    const violations = mode === 'off' ? [] : await this.#violationsOf(request);
    const outcome = outcomeOf(mode, violations);
    if (mode !== 'off') this.#tell(context, mode, endpoint, violations?.length ?? 0);
    this.#metrics?.judged({
      mode,
      endpoint,
      outcome,
      violations: violations?.length ?? 0,
      seconds: (performance.now() - startedAt) / 1_000,
    });
    if (outcome === 'rejected') throw refusal(context, violations ?? []);
    return true;
  }

  /** Undefined: the validator failed. */
  async #violationsOf(request: HttpRequest): Promise<readonly Violation[] | undefined> {
    try {
      return await this.#options.validate(request);
    } catch (cause) {
      const sentence = `The validator of ${this.#key} failed, the request passed: ${messageOf(cause)}`;
      this.#requests.report(
        new AppError<SdkErrorCode>('SDK_VALIDATOR_FAILED', sentence, { cause }),
      );
      return undefined;
    }
  }

  /** On Node's own reply, where it stays whoever sends the answer, and is seen in what has really gone out. */
  #tell(context: ExecutionContext, mode: Mode, endpoint: string, violations: number): void {
    const reply = context.switchToHttp().getResponse<HttpReply & RawReply>();
    const raw = reply.raw ?? reply;
    raw.setHeader('x-stage-validation', mode);
    raw.setHeader('x-stage-violations', String(violations));
    if (mode === 'enforce' || violations === 0) return;
    for (const [name, value] of this.#headers) raw.setHeader(name, value);
    const metrics = this.#metrics;
    if (metrics)
      raw.once('finish', () => {
        if (raw.hasHeader('deprecation')) metrics.deprecationSent(endpoint);
      });
  }
}

function outcomeOf(mode: Mode, violations: readonly Violation[] | undefined): ModeOutcome {
  if (mode === 'off') return 'not-validated';
  if (violations === undefined) return 'validator-failed';
  if (violations.length === 0) return 'valid';
  return mode === 'warn' ? 'violations' : 'rejected';
}

const refusal = (context: ExecutionContext, violations: readonly Violation[]): Error =>
  problem(context, {
    title: 'Unprocessable Content',
    status: 422,
    detail: `The request violates ${violations.length === 1 ? 'a rule' : `${violations.length} rules`}: ${violations[0]?.detail}`,
    code: 'STAGE_VALIDATION_FAILED',
    errors: violations.slice(0, MOST_NAMED),
  });
