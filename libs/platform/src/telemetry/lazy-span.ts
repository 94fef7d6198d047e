import { type Span, type SpanContext, TraceFlags } from '@opentelemetry/api';

/**
 * A span that is not recorded and gets its ids when somebody asks for them: most requests cause no message and log
 * no line, and random ids would cost more than all else that tracing does for them.
 */
export class LazySpan implements Span {
  readonly #hex: (digits: number) => string;
  #made: SpanContext | undefined;

  /** @param hex so many random hexadecimal digits */
  constructor(hex: (digits: number) => string) {
    this.#hex = hex;
  }

  spanContext(): SpanContext {
    this.#made ??= {
      traceId: this.#hex(32),
      spanId: this.#hex(16),
      traceFlags: TraceFlags.NONE,
    };
    return this.#made;
  }

  isRecording(): boolean {
    return false;
  }

  setAttribute(): this {
    return this;
  }

  setAttributes(): this {
    return this;
  }

  addEvent(): this {
    return this;
  }

  addLink(): this {
    return this;
  }

  addLinks(): this {
    return this;
  }

  setStatus(): this {
    return this;
  }

  updateName(): this {
    return this;
  }

  end(): void {
    // Nothing is kept, so nothing ends.
  }

  recordException(): void {
    // Nobody would see it.
  }
}
